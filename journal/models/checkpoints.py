"""Where a book's ledger stood at a moment: the next fill goes on from there."""

from typing import ClassVar

from django.db import models

from journal.models.trades import Book


class Checkpoint(models.Model):
    """Behind the newest row of a book, and one every thousand. It can be thrown away: then the book
    is computed from its first row."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="checkpoints")
    # every row up to it, of this time too, is in; what comes later is not
    time = models.DateTimeField()
    # journal.ledger.checkpoints.State, as JSON
    state = models.BinaryField()
    # journal.books.carried.Carried, as JSON
    carried = models.BinaryField()
    # rows since the last one that stays; one that does not stay goes with a later one
    count = models.IntegerField()
    is_kept = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["book", "time"], name="checkpoint_once")
        ]

    def __str__(self) -> str:
        return f"{self.book_id} {self.time:%F %T}"
