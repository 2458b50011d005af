"""Who can walk to a library, who cannot, and where to build next."""
