"""What known answers of an ADS mean, and who can cure them."""
