"""What a release consists of, and what is generated from the template for its users."""
