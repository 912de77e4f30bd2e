"""What a machine tells of itself: facts now, metrics later. Called by transports and the collector."""
