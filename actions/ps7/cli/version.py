"""The version of the whole plugin: a copied folder has no metadata that an installer would know."""

from __future__ import annotations

VERSION = "0.1.0"
