"""How explanations look on a terminal, with colours and without."""
