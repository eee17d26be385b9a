"""``make bench``: what a night costs, beside a naive script that does the same, in one run."""
