"""A simulated ADS that answers as the vendor's server does."""
