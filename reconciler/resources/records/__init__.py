"""What a host remembers: its ledger, with a journal, its runs, and applies on trial."""
