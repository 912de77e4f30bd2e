"""The monitor and the notifier: from alerts in the store to messages that arrive."""
