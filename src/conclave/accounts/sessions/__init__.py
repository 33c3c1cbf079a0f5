"""Sessions: opaque tokens with a sliding end, listed and revocable.

A session knows when and in which address families its owner was last proven. Its token is another
one after every proof and every change of rights, so that one planted or copied before is worth
nothing after. Must never hand out a token other than to the browser that has just proven itself.
"""
