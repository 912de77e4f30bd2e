"""The watch: follows a source and runs all other loops beside each other on an ops server."""
