"""The fields of a CSV file's records as the typed columns of the live table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.adapters.sources.files.shape import Shape
from headwater.adapters.sources.parquet import source_columns
from headwater.adapters.sources.typed_texts import Typed, typing_of
from headwater.domain.schema import TableSchema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a column's texts are, and how they are typed. ``constant`` is the one value of all rows otherwise."""

    place: int | None
    typed: Typed
    constant: pa.Scalar | None
    is_key: bool


@dataclass(frozen=True, slots=True)
class TypedFields:
    """The columns of one file, in their order in the live table."""

    fields: tuple[_Field, ...]

    @classmethod
    def of(cls, shape: Shape, places: Sequence[int | None], schema: TableSchema) -> TypedFields | None:
        """None where a column has a type that is left to DuckDB, or the path a value that is none of its type.

        :param places: of each of the shape's names where in a record it stands.
        """
        import pyarrow as pa

        stands = dict(zip(shape.names, places, strict=True))
        fields = []
        for column in source_columns(schema):
            typed = typing_of(shape.landing.extract.columns.get(column.name, ""), column.type)
            place = stands.get(column.name)
            text = pa.array([shape.constants.get(column.name)], pa.string())
            constant = typed(text) if typed is not None and place is None else None
            if typed is None or (place is None and constant is None):
                return None
            is_key = column.name in shape.landing.table.key
            fields.append(_Field(place, typed, None if constant is None else constant[0], is_key))
        return cls(tuple(fields))

    def columns(self, texts: Sequence[pa.Array]) -> list[pa.Array] | None:
        """The columns of records; None when one of them may have to be set aside."""
        import pyarrow as pa

        columns = []
        for field in self.fields:
            if field.place is None:
                column = pa.repeat(field.constant, len(texts[0]))
            else:
                column = field.typed(texts[field.place])
            if column is None or (field.is_key and column.null_count):
                return None
            columns.append(column)
        return columns
