"""The controller: from manifests and what is known of the fleet to a plan, to signed statements and due work."""
