"""The collector: samples hosts, judges alert rules at each sample, writes both to the store."""
