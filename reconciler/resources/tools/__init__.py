"""What distributions bring to look after a host: package tools, service managers, accounts, fstab, crontab."""
