"""What the service sells: more models than anybody here uses, who serves them, and what is said of them."""
