"""What a search for leaks needs: the spellings of a value, what is packed in bytes, and a watch over this process."""
