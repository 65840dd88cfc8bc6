"""Live views in a terminal: what is shown, who asks for it, and how it is drawn."""
