"""Hosts as loops meet them: how each is reached, what it was told to be, what it says of itself."""
