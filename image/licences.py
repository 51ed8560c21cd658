"""Print name, version and licence of every installed Python distribution, as tab-separated lines."""

from __future__ import annotations

from importlib.metadata import Distribution, distributions


def licence_of(distribution: Distribution) -> str:
    """What the distribution says of its licence: the SPDX expression, else the classifiers, else the free text."""
    metadata = distribution.metadata
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    classifiers = [text for text in metadata.get_all("Classifier") or () if text.startswith("License ::")]
    if classifiers:
        return "; ".join(text.rpartition(" :: ")[2] for text in classifiers)
    return str(metadata["License"] or "not declared").strip().splitlines()[0][:100]


for found in sorted(distributions(), key=lambda item: item.name.lower()):
    print(f"{found.name}\t{found.version}\t{licence_of(found)}")
