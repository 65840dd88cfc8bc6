"""Orders about quotes in the market, to withdraw them or to post them once more: what is asked, and what came of it."""
