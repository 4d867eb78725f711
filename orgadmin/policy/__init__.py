"""What a key may do: the rules of all guardrails that apply to it, put together, and what they mean for a
model. Pure functions over plain values: no table, no request."""
