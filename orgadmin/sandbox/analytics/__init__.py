"""Questions about use, and their answers: what can be asked, how it is asked, how it is answered."""
