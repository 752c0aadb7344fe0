"""A department's own table: shown once where its figures stand, and understood from then on.

``sheets`` has what a file holds, ``headers`` finds columns and what they are of, ``names`` matches
rows to indicators, ``layout`` is what is kept and how a new file is held against it, ``taking``
makes the rows of a template of it, ``proof`` holds its totals against the portal's, ``page`` is
where all this is shown and corrected.
"""
