"""Live views in a terminal, ``contribd top`` and ``contribd tap``: what is shown, who asks for it, how it is drawn."""
