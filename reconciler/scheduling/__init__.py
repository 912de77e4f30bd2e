"""Pure: when schedules are due, and what becomes of each run that is: started, held or skipped, and why.

`timing` knows the moments, `deciding` judges those that are due on a host, `conditions` watches triggers, `agenda`
keeps what is due next. Nothing here starts anything: the scheduler's loop does, and the store remembers.
"""
