"""What only agents do: work on their own host alone, with what stands in its slot."""
