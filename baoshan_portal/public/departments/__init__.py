"""What each department leads and supports, what is late, and how it compares with the others."""
