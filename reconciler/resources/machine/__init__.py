"""The host itself, behind the narrow port `System`: files, programs, accounts, the lock, and its stable facts."""
