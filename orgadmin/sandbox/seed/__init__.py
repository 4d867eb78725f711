"""A believable organization, made from a seed."""
