"""conclave: video meetings, a messenger and the telephone in one self-hosted program.

The import stays light: no slice, no web framework and no Rust extension is loaded here.
"""

__version__ = "0.1.0"
