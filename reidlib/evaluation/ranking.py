"""From distances to the ranks of the true matches, and from those ranks to CMC, average precision and INP.

The rank of a true match is 1 + the number of entries before it. Ties are broken pessimistically: a wrong
answer at the same distance as a true match comes before it. So a network that maps everything to one point
gets the worst scores and not those of a lucky gallery order, and no score depends on the order of the
gallery.

Nothing sorts (query, gallery) index lists: a true match's rank is its place among the query's true matches
plus the number of wrong answers that are as close or closer, found by bisection in the row's sorted
distances.
"""

from dataclasses import dataclass

import numpy as np

_ROWS = 64  # queries handled together: the block stays in the processor's cache


def same_identity_pairs(query_ids: np.ndarray, gallery_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All (query, gallery) index pairs of one real identity (> 0), ordered by query."""
    order = np.argsort(gallery_ids, kind="stable")
    sorted_ids = gallery_ids[order]
    first = np.searchsorted(sorted_ids, query_ids, side="left")
    count = np.where(query_ids > 0, np.searchsorted(sorted_ids, query_ids, side="right") - first, 0)
    place = _places(count)
    return np.repeat(np.arange(len(query_ids)), count), order[np.repeat(first, count) + place]


@dataclass(frozen=True)
class MatchRanks:
    """The M true matches of Q queries, by query and, within a query, from the closest to the farthest."""

    query: np.ndarray  # (M,) index of the query
    place: np.ndarray  # (M,) 1, 2, … among the query's true matches
    rank: np.ndarray  # (M,) 1, 2, … among all entries that count
    matches: np.ndarray  # (Q,) number of true matches; 0: no valid query

    @property
    def first(self) -> np.ndarray:
        """Rank (Q,) of each query's closest true match, 0 where there is none."""
        return self._at(self.place == 1)

    @property
    def last(self) -> np.ndarray:
        """Rank (Q,) of each query's farthest true match, 0 where there is none."""
        return self._at(self.place == self.matches[self.query])

    def _at(self, chosen: np.ndarray) -> np.ndarray:
        ranks = np.zeros(len(self.matches), dtype=np.int64)
        ranks[self.query[chosen]] = self.rank[chosen]
        return ranks


def match_ranks(
    distances: np.ndarray, queries: np.ndarray, entries: np.ndarray, counted: np.ndarray, junk: np.ndarray
) -> MatchRanks:
    """The ranks of the true matches.

    distances: (Q, G) without NaN. queries, entries: (N,) index pairs of one identity, ordered by query.
    counted: (N,) bool, whether the pair is a true match; the others are left out of the query's ranking.
    junk: (G,) bool, entries that are left out of every ranking.
    """
    matches = np.bincount(queries[counted], minlength=len(distances))
    wrong = (~junk).sum() - np.bincount(queries, minlength=len(distances))  # wrong answers a query
    query = queries[counted]
    distance = distances[query, entries[counted]]
    order = np.lexsort((distance, query))
    query, distance = query[order], distance[order]
    place = _places(matches) + 1

    ahead = np.empty(len(query), dtype=np.int64)  # wrong answers as close or closer
    own = np.searchsorted(queries, np.arange(len(distances) + 1))  # where each query's pairs begin
    start = np.searchsorted(query, np.arange(len(distances) + 1))  # where each query's true matches begin
    for top in range(0, len(distances), _ROWS):
        stop = min(top + _ROWS, len(distances))
        block = distances[top:stop].copy()
        block[:, junk] = np.inf  # only wrong answers stay, sorted to the front of the row
        pairs = slice(own[top], own[stop])
        block[queries[pairs] - top, entries[pairs]] = np.inf
        block.sort(axis=1)
        for row in range(top, stop):
            mine = slice(start[row], start[row + 1])
            ahead[mine] = np.searchsorted(block[row - top], distance[mine], side="right")
    ahead = np.minimum(ahead, wrong[query])  # an infinitely far match would count what was left out
    return MatchRanks(query, place, place + ahead, matches)


def step_average_precision(ranks: MatchRanks) -> np.ndarray:
    """The usual one: mean precision over a query's true matches, (Q,), NaN without a match."""
    return _mean_over_matches(ranks, ranks.place / ranks.rank)


def trapezoid_average_precision(ranks: MatchRanks) -> np.ndarray:
    """Area under the precision-recall curve by trapezoids: (Q,), NaN without a match.

    Each true match adds the mean of the precision at its rank and at the rank before (1 before the first
    rank), as in the Oxford Buildings evaluation and the MATLAB code that MARS and Market-1501 were published
    with.
    """
    before = np.divide(ranks.place - 1, ranks.rank - 1, out=np.ones(len(ranks.rank)), where=ranks.rank > 1)
    return _mean_over_matches(ranks, (before + ranks.place / ranks.rank) / 2)


def inverse_negative_penalty(ranks: MatchRanks) -> np.ndarray:
    """INP: number of true matches over the rank of the farthest one, (Q,), NaN without a match.

    Source: Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2021.
    """
    return np.where(ranks.matches > 0, ranks.matches / np.maximum(ranks.last, 1), np.nan)


def _mean_over_matches(ranks: MatchRanks, values: np.ndarray) -> np.ndarray:
    total = np.bincount(ranks.query, weights=values, minlength=len(ranks.matches))
    return np.where(ranks.matches > 0, total / np.maximum(ranks.matches, 1), np.nan)


def _places(count: np.ndarray) -> np.ndarray:
    """0 … count[0] − 1, 0 … count[1] − 1, …"""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
