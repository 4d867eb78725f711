"""How requests are read and answers spelled: one file with one small route table per endpoint group."""
