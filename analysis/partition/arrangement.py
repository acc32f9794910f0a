"""Convex polygons cut by creases, compiled: what `exact_cells` does for each hidden layer.

Words used throughout. A *subdivision* is a set of convex polygons that share vertices: polygon p has the corners
`corners[offsets[p]:offsets[p + 1]]`, and side s runs from corner s to the next. z is (vertices, neurons), the layer's
pre-activations, which are affine on each polygon. A neuron is on, off or *at its crease* at a vertex; `positive` and
`negative` hold that as bits, 64 neurons to a word. A neuron *cuts* a polygon where it is positive at one corner and
negative at another; what it cuts along is its *chord*. A *crossing* is where a crease meets an edge.

Whether a vertex is on a crease is decided once, for the vertex, with a tolerance; everything else follows from these
decisions by counting, never from another comparison of numbers. So polygons that share an edge agree on its crossings,
and rounding cannot make a cut that does not end.

The functions are compiled for numba and hence carry `no_type_check`: run-time checks would hide them from it. They
stand in one file although it is long: numba keeps what it compiled until the file of a function changes, and would not
notice a change in another file that the function calls.
"""

from typing import no_type_check

import numpy as np

from .compiled import compiled

ONE = np.uint64(1)
ZERO = np.uint64(0)
WORD_BITS = 64
NONE = -1
"""Stands for no index of a vertex, an edge, a polygon or a chord."""


@compiled
@no_type_check
def _bits(word):
    """How many bits of a word are set."""
    word = word - ((word >> ONE) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
@no_type_check
def _lowest(word):
    """Index of the lowest bit set in a word that is not zero."""
    return _bits((word & (~word + ONE)) - ONE)


@compiled
@no_type_check
def _sign(positive, negative, vertex, neuron):
    """1, -1, or 0 at the crease."""
    word, bit = neuron // WORD_BITS, np.uint64(neuron % WORD_BITS)
    if (positive[vertex, word] >> bit) & ONE:
        return 1
    return -1 if (negative[vertex, word] >> bit) & ONE else 0


@compiled
@no_type_check
def _classify(z, tolerance, positive, negative, first, last):
    """Signs of vertices `first` to `last` - 1 as bits; z within its tolerance of zero becomes zero."""
    width = z.shape[1]
    for vertex in range(first, last):
        for word in range(positive.shape[1]):
            plus, minus = ZERO, ZERO
            start = word * WORD_BITS
            for bit in range(min(WORD_BITS, width - start)):
                value, room = z[vertex, start + bit], tolerance[start + bit]
                plus |= np.uint64(value > room) << np.uint64(bit)
                minus |= np.uint64(value < -room) << np.uint64(bit)
                if abs(value) <= room:
                    z[vertex, start + bit] = 0.0
            positive[vertex, word] = plus
            negative[vertex, word] = minus


@compiled
@no_type_check
def classified(z, tolerance):
    """Bits of the signs of all of z, in which values within their neuron's tolerance of zero become zero."""
    words = (z.shape[1] + WORD_BITS - 1) // WORD_BITS
    positive, negative = np.empty((len(z), words), np.uint64), np.empty((len(z), words), np.uint64)
    _classify(z, tolerance, positive, negative, 0, len(z))
    return positive, negative


@compiled
@no_type_check
def edges(offsets, corners, vertices):
    """The edges of a subdivision: the edge of each side, and each edge's two ends and two polygons.

    On the window's border the second polygon is -1. An edge runs as its first polygon's side does.
    """
    sides = len(corners)
    begin = np.zeros(vertices + 1, np.int64)  # sides are kept with the lower of their two vertices
    for polygon in range(len(offsets) - 1):
        for side in range(offsets[polygon], offsets[polygon + 1]):
            following = side + 1 if side + 1 < offsets[polygon + 1] else offsets[polygon]
            begin[min(corners[side], corners[following]) + 1] += 1
    for vertex in range(vertices):
        begin[vertex + 1] += begin[vertex]
    used = np.zeros(vertices, np.int64)
    other, found = np.empty(sides, np.int64), np.empty(sides, np.int64)
    edge_of_side = np.empty(sides, np.int64)
    ends, polygons = np.empty((sides, 2), np.int64), np.empty((sides, 2), np.int64)
    count = 0
    for polygon in range(len(offsets) - 1):
        for side in range(offsets[polygon], offsets[polygon + 1]):
            following = side + 1 if side + 1 < offsets[polygon + 1] else offsets[polygon]
            low, high = min(corners[side], corners[following]), max(corners[side], corners[following])
            edge = NONE
            for slot in range(begin[low], begin[low] + used[low]):
                if other[slot] == high:
                    edge = found[slot]
                    polygons[edge, 1] = polygon
                    break
            if edge == NONE:
                edge = count
                count += 1
                ends[edge, 0], ends[edge, 1] = corners[side], corners[following]
                polygons[edge, 0], polygons[edge, 1] = polygon, NONE
                slot = begin[low] + used[low]
                other[slot], found[slot] = high, edge
                used[low] += 1
            edge_of_side[side] = edge
    return edge_of_side, ends[:count].copy(), polygons[:count].copy()


@compiled
@no_type_check
def crossings_of_edges(ends, points, z, positive, negative, merge):
    """Where creases meet the inside of edges, edge by edge in order from the edge's first end.

    Returns:
        start: the crossings of edge e are `start[e]` to `start[e + 1]` - 1.
        neuron: whose crease it is.
        vertex: its new vertex, numbered on from the old ones; creases within `merge` of each other share one.
        new_points: coordinates of the new vertices.
        share: how far along its edge each new vertex is.
        edge: which edge that is.
    """
    count = len(ends)
    start = np.zeros(count + 1, np.int64)
    for edge in range(count):
        a, b = ends[edge, 0], ends[edge, 1]
        crossing = 0
        for word in range(positive.shape[1]):
            crossing += _bits((positive[a, word] & negative[b, word]) | (negative[a, word] & positive[b, word]))
        start[edge + 1] = start[edge] + crossing
    total = start[count]
    neuron, vertex, shares = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total)
    new_points, share, on_edge = np.empty((total, 2)), np.empty(total), np.empty(total, np.int64)
    new = 0
    for edge in range(count):
        if start[edge] == start[edge + 1]:
            continue
        a, b = ends[edge, 0], ends[edge, 1]
        last = start[edge]
        for word in range(positive.shape[1]):
            crossing = (positive[a, word] & negative[b, word]) | (negative[a, word] & positive[b, word])
            while crossing:
                i = word * WORD_BITS + _lowest(crossing)
                crossing &= crossing - ONE
                t = z[a, i] / (z[a, i] - z[b, i])
                place = last
                while place > start[edge] and shares[place - 1] > t:
                    shares[place], neuron[place] = shares[place - 1], neuron[place - 1]
                    place -= 1
                shares[place], neuron[place] = t, i
                last += 1
        dx, dy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        apart = merge / max(np.sqrt(dx * dx + dy * dy), 1e-300)
        previous = -np.inf
        for place in range(start[edge], last):
            if shares[place] - previous > apart:
                previous = shares[place]
                new_points[new, 0], new_points[new, 1] = points[a, 0] + previous * dx, points[a, 1] + previous * dy
                share[new], on_edge[new] = previous, edge
                new += 1
            vertex[place] = len(points) + new - 1
    return start, neuron, vertex, new_points[:new].copy(), share[:new].copy(), on_edge[:new].copy()


@compiled
@no_type_check
def _cuts(corners, first, last, positive, negative, word):
    """The neurons of one word that are positive at one of some corners and negative at another."""
    plus, minus = ZERO, ZERO
    for corner in range(first, last):
        plus |= positive[corners[corner], word]
        minus |= negative[corners[corner], word]
    return plus & minus


@compiled
@no_type_check
def _end(ends_of, points, neuron, position, vertex):
    """Note that a neuron's chord ends at a vertex, `position` corners along the boundary."""
    if ends_of[neuron, 0] == NONE:
        ends_of[neuron, 0], ends_of[neuron, 1] = position, vertex
        return
    if ends_of[neuron, 2] != NONE:  # three corners at the crease: it runs along a side, or rounding put one beside it
        a = points[ends_of[neuron, 1]]
        farthest = points[ends_of[neuron, 3]]
        if (farthest[0] - a[0]) ** 2 + (farthest[1] - a[1]) ** 2 > (
            (points[vertex, 0] - a[0]) ** 2 + (points[vertex, 1] - a[1]) ** 2
        ):
            return
    ends_of[neuron, 2], ends_of[neuron, 3] = position, vertex


@compiled
@no_type_check
def _along(a, b, c, d):
    """How far along from a to b the line through c and d is met, as a share."""
    ex, ey = d[0] - c[0], d[1] - c[1]
    across = (b[0] - a[0]) * ey - (b[1] - a[1]) * ex
    return ((c[0] - a[0]) * ey - (c[1] - a[1]) * ex) / across if across != 0 else 0.5


@compiled
@no_type_check
def _note_ends(ends_of, cut, polygon, outlines, crossing_neuron, crossing_vertex, points, positive, negative):
    """Go once around a polygon and note where the chords of its cuts end."""
    offsets, corners, edge_of_side, ends, start = outlines
    position = 0
    for side in range(offsets[polygon], offsets[polygon + 1]):
        corner, edge = corners[side], edge_of_side[side]
        for word in range(len(cut)):
            at_crease = cut[word] & ~(positive[corner, word] | negative[corner, word])
            while at_crease:
                _end(ends_of, points, word * WORD_BITS + _lowest(at_crease), position, corner)
                at_crease &= at_crease - ONE
        forward = corner == ends[edge, 0]
        before = corner
        for k in range(start[edge + 1] - start[edge]):
            crossing = start[edge] + k if forward else start[edge + 1] - 1 - k
            if crossing_vertex[crossing] != before:
                position += 1
                before = crossing_vertex[crossing]
            _end(ends_of, points, crossing_neuron[crossing], position, before)
        position += 1


@compiled
@no_type_check
def _meetings(shares, chords, count, low, high, a, b, points):
    """How many of the first `count` chords one from a to b (`low` to `high` of the boundary) meets; -1 if it is one.

    How far along it meets them goes to `shares`, sorted.
    """
    met = 0
    for other in range(count):
        begin, finish = chords[other, 0], chords[other, 2]
        if begin == low and finish == high:
            return NONE
        if (begin < low < finish < high) or (low < begin < high < finish):
            t = _along(a, b, points[chords[other, 1]], points[chords[other, 3]])
            place = met
            while place > 0 and shares[place - 1] > t:
                shares[place] = shares[place - 1]
                place -= 1
            shares[place] = t
            met += 1
    return met


@compiled
@no_type_check
def count_parts(outlines, crossing_neuron, crossing_vertex, points, positive, negative, width, merge):
    """How many parts the layer's chords cut each polygon into, without making them.

    A chord adds a part, and one more for each point inside the polygon at which it meets chords that came before it.
    Two chords meet inside when their ends take turns along the boundary; at an end they share they do not.

    Args:
        outlines: offsets, corners, the edge of each side, the ends of each edge, and where its crossings start.
        points: coordinates of the old vertices, then of those of the crossings.

    Returns:
        parts of each polygon, the length of all chords, how many chords there are, and how often two of them meet.
    """
    offsets, corners = outlines[0], outlines[1]
    polygons = len(offsets) - 1
    parts = np.ones(polygons, np.int64)
    ends_of = np.full((width, 4), NONE)  # position and vertex of both ends
    chords = np.empty((width, 4), np.int64)
    shares = np.empty(width)
    length, all_chords, meetings = 0.0, 0, 0
    cut = np.zeros(positive.shape[1], np.uint64)
    for polygon in range(polygons):
        first, last = offsets[polygon], offsets[polygon + 1]
        any_cut = ZERO
        for word in range(len(cut)):
            cut[word] = _cuts(corners, first, last, positive, negative, word)
            any_cut |= cut[word]
        if any_cut == ZERO:
            continue
        _note_ends(ends_of, cut, polygon, outlines, crossing_neuron, crossing_vertex, points, positive, negative)
        count = 0
        for word in range(len(cut)):
            left = cut[word]
            while left:
                neuron = word * WORD_BITS + _lowest(left)
                left &= left - ONE
                low, from_vertex = ends_of[neuron, 0], ends_of[neuron, 1]
                high, to_vertex = ends_of[neuron, 2], ends_of[neuron, 3]
                ends_of[neuron, 0] = ends_of[neuron, 2] = NONE
                if high == NONE:
                    continue
                if low > high:
                    low, from_vertex, high, to_vertex = high, to_vertex, low, from_vertex
                a, b = points[from_vertex], points[to_vertex]
                met = _meetings(shares, chords, count, low, high, a, b, points)
                if met == NONE:
                    continue
                chord_length = np.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2)
                apart = merge / max(chord_length, 1e-300)
                parts[polygon] += 1
                for k in range(met):
                    parts[polygon] += k == 0 or shares[k] - shares[k - 1] > apart
                chords[count, 0], chords[count, 1] = low, from_vertex
                chords[count, 2], chords[count, 3] = high, to_vertex
                count += 1
                length += chord_length
                meetings += met
        all_chords += count
    return parts, length, all_chords, meetings


@compiled
@no_type_check
def place_crossings(z, tolerance, positive, negative, ends, neuron, vertex, share, edge, old):
    """Pre-activations and signs of the crossings' vertices, which follow those of the `old` ones in z.

    On an edge all of the layer is affine, so they lie between those of its ends.
    """
    for new in range(len(share)):
        a, b = ends[edge[new], 0], ends[edge[new], 1]
        for i in range(z.shape[1]):
            z[old + new, i] = z[a, i] + share[new] * (z[b, i] - z[a, i])
    for crossing in range(len(neuron)):
        z[vertex[crossing], neuron[crossing]] = 0.0
    _classify(z, tolerance, positive, negative, old, old + len(share))


@compiled
@no_type_check
def _interpolate(points, z, tolerance, positive, negative, between, share, a, b, neuron, vertex):
    """Write the new vertex where a neuron's crease meets the side from a to b."""
    t = z[a, neuron] / (z[a, neuron] - z[b, neuron])
    between[vertex, 0], between[vertex, 1], share[vertex] = a, b, t
    for axis in range(2):
        points[vertex, axis] = points[a, axis] + t * (points[b, axis] - points[a, axis])
    for j in range(z.shape[1]):
        z[vertex, j] = z[a, j] + t * (z[b, j] - z[a, j])
    z[vertex, neuron] = 0.0
    _classify(z, tolerance, positive, negative, vertex, vertex + 1)


@compiled
@no_type_check
def _outline(piece, chord, polygon, outlines, crossing_vertex):
    """Put all that lies on a polygon's boundary into `piece`, corners and crossings: how many, or -1 without room."""
    offsets, corners, edge_of_side, ends, start = outlines
    size = 0
    for side in range(offsets[polygon], offsets[polygon + 1]):
        corner, edge = corners[side], edge_of_side[side]
        if size + 1 + start[edge + 1] - start[edge] > len(piece):
            return NONE
        piece[size], chord[size] = corner, NONE
        size += 1
        forward = corner == ends[edge, 0]
        for k in range(start[edge + 1] - start[edge]):
            vertex = crossing_vertex[start[edge] + k if forward else start[edge + 1] - 1 - k]
            if piece[size - 1] != vertex:
                piece[size], chord[size] = vertex, NONE
                size += 1
    return size


@compiled
@no_type_check
def _number_cuts(local, piece, size, positive, negative):
    """Number the neurons that cut a polygon, into `local`, and return how many there are."""
    chords = 0
    for word in range(positive.shape[1]):
        cut = _cuts(piece, 0, size, positive, negative, word)
        while cut:
            local[word * WORD_BITS + _lowest(cut)] = chords
            chords += 1
            cut &= cut - ONE
    return chords


@compiled
@no_type_check
def _first_cut(piece, begin, size, positive, negative):
    """The first neuron that cuts a piece; -1 where none does."""
    for word in range(positive.shape[1]):
        cut = _cuts(piece, begin, size, positive, negative, word)
        if cut:
            return word * WORD_BITS + _lowest(cut)
    return NONE


@compiled
@no_type_check
def _positive_run(piece, begin, size, positive, negative, neuron):
    """The run of a piece's corners at which a neuron is positive: the first, counted from `begin`, and how many."""
    count = size - begin
    rise = 0
    before_sign = _sign(positive, negative, piece[size - 1], neuron)
    for k in range(count):
        sign = _sign(positive, negative, piece[begin + k], neuron)
        if sign > 0 and before_sign <= 0:
            rise = k
            break
        before_sign = sign
    run = 1
    while _sign(positive, negative, piece[begin + (rise + run) % count], neuron) > 0:
        run += 1
    return rise, run


@compiled
@no_type_check
def _put_at_crease(z, positive, negative, vertex, neuron):
    """Take a vertex for one on a neuron's crease."""
    word, bit = neuron // WORD_BITS, ONE << np.uint64(neuron % WORD_BITS)
    positive[vertex, word] &= ~bit
    negative[vertex, word] &= ~bit
    z[vertex, neuron] = 0.0


@compiled
@no_type_check
def _note_meeting(meeting, chords, c, i, vertex, local, piece, begin, size, positive, negative):
    """Note that chords c and i meet at a vertex, and so do all further ones of the piece that run through it."""
    meeting[c * chords + i] = meeting[i * chords + c] = vertex
    for word in range(positive.shape[1]):
        there = _cuts(piece, begin, size, positive, negative, word)
        there &= ~(positive[vertex, word] | negative[vertex, word])
        while there:
            j = local[word * WORD_BITS + _lowest(there)]
            there &= there - ONE
            meeting[c * chords + j] = meeting[j * chords + c] = vertex
            meeting[i * chords + j] = meeting[j * chords + i] = vertex


@compiled
@no_type_check
def _halve(piece, chord, half, half_chord, begin, size, rise, run, passage, new_in, new_out, new_chord):
    """Put two pieces in the place of one: that of its run of positive corners, and the rest.

    Each begins with an end of the new chord: a vertex of its own where `new_in` or `new_out` says so, else a corner.
    Returns where the second begins and where it ends, counted from `begin`.
    """
    count = size - begin
    entry, leave = passage[0], passage[1]
    before, top, after = (rise - 1) % count, (rise + run - 1) % count, (rise + run) % count
    half[0], half_chord[0] = entry, chord[begin + before]
    for k in range(run):
        at = begin + (rise + k) % count
        half[1 + k], half_chord[1 + k] = piece[at], chord[at]
    half[1 + run], half_chord[1 + run] = leave, new_chord
    middle = run + 2
    end = middle
    half[end], half_chord[end] = leave, chord[begin + top] if new_out else chord[begin + after]
    end += 1
    for k in range(0 if new_out else 1, count - run - (0 if new_in else 1)):
        at = begin + (rise + run + k) % count
        half[end], half_chord[end] = piece[at], chord[at]
        end += 1
    half[end], half_chord[end] = entry, new_chord
    end += 1
    for k in range(end):
        piece[begin + k], chord[begin + k] = half[k], half_chord[k]
    return middle, end


@compiled
@no_type_check
def split(outlines, crossing_vertex, points, z, positive, negative, between, share, vertices, tolerance, room):
    """Cut each polygon along the layer's chords.

    A polygon is cut by one of the neurons that cut it, and so are the two halves, until none does. Two halves meet
    along a chord and must agree on its vertices; those are kept by the two neurons whose creases meet there.

    Args:
        outlines: as for `count_parts`.
        between, share: for each new vertex, the two that it lies between and how far along, written here.
        vertices: how many rows of points, z and the signs are in use; new vertices are written to those that follow.
        room: how many polygons and corners there may be, and how many corners while one polygon is being cut.

    Returns:
        offsets and corners of the parts, the polygon each is of, the neurons that are on in it as bits, and how many
        vertices there are: -1 where the room did not suffice.
    """
    words = positive.shape[1]
    width = z.shape[1]
    new_offsets, new_corners = np.empty(room[0] + 1, np.int64), np.empty(room[1], np.int64)
    parent, pattern = np.empty(room[0], np.int64), np.empty((room[0], words), np.uint64)
    new_offsets[0] = 0
    count, full = 0, False
    # the pieces still to be looked at lie one behind another: corners, and the chord along which the side that follows
    # a corner runs (-1: on the polygon's boundary)
    piece, chord = np.empty(room[2], np.int64), np.empty(room[2], np.int64)
    half, half_chord = np.empty(room[2], np.int64), np.empty(room[2], np.int64)
    begins = np.empty(room[2], np.int64)
    local = np.empty(width, np.int64)
    meeting = np.empty(64, np.int64)
    passage = np.empty(2, np.int64)  # where the chord enters the run of positive corners and where it leaves
    for polygon in range(len(outlines[0]) - 1):
        size = _outline(piece, chord, polygon, outlines, crossing_vertex)
        full = full or size == NONE
        if full:
            break
        chords = _number_cuts(local, piece, size, positive, negative)
        if chords * chords > len(meeting):
            meeting = np.empty(chords * chords, np.int64)
        for k in range(chords * chords):
            meeting[k] = NONE
        begins[0] = 0
        pieces = 1
        while pieces > 0:
            begin = begins[pieces - 1]
            neuron = _first_cut(piece, begin, size, positive, negative)
            if neuron == NONE:
                if count == len(parent) or new_offsets[count] + size - begin > len(new_corners):
                    full = True
                    break
                parent[count] = polygon
                for word in range(words):
                    pattern[count, word] = ZERO
                for k in range(begin, size):
                    new_corners[new_offsets[count] + k - begin] = piece[k]
                    for word in range(words):
                        pattern[count, word] |= positive[piece[k], word]
                count += 1
                new_offsets[count] = new_offsets[count - 1] + size - begin
                size = begin
                pieces -= 1
                continue
            corners_here = size - begin
            if size + 4 > len(piece) or pieces == len(begins) or vertices + 2 > len(z):
                full = True
                break
            rise, run = _positive_run(piece, begin, size, positive, negative, neuron)
            # the corners around the run
            before = begin + (rise - 1) % corners_here
            top, after = begin + (rise + run - 1) % corners_here, begin + (rise + run) % corners_here
            new_in = _sign(positive, negative, piece[before], neuron) < 0
            new_out = _sign(positive, negative, piece[after], neuron) < 0
            for k in range(2):
                u, v = (before, begin + rise) if k == 0 else (top, after)
                if not (new_in if k == 0 else new_out):
                    vertex = piece[before if k == 0 else after]
                elif chord[u] == NONE:
                    # Crossings of the boundary are there already, so only rounding can have put one here: then the
                    # nearer end is on the crease, for all polygons that have it.
                    near = piece[u] if abs(z[piece[u], neuron]) < abs(z[piece[v], neuron]) else piece[v]
                    _put_at_crease(z, positive, negative, near, neuron)
                    vertex = NONE
                else:
                    c, i = chord[u], local[neuron]
                    vertex = meeting[c * chords + i]
                    if vertex == NONE:
                        vertex = vertices
                        vertices += 1
                        a, b = piece[u], piece[v]
                        _interpolate(points, z, tolerance, positive, negative, between, share, a, b, neuron, vertex)
                        _note_meeting(meeting, chords, c, i, vertex, local, piece, begin, size, positive, negative)
                passage[k] = vertex
            if passage[0] == NONE or passage[1] == NONE:
                continue
            middle, end = _halve(
                piece, chord, half, half_chord, begin, size, rise, run, passage, new_in, new_out, local[neuron]
            )
            size = begin + end
            begins[pieces] = begin + middle
            pieces += 1
    return (
        new_offsets[: count + 1],
        new_corners[: new_offsets[count]],
        parent[:count],
        pattern[:count],
        NONE if full else vertices,
    )


@compiled
@no_type_check
def changes_between(positive, negative, between):
    """How many neurons change their sign between each pair of vertices."""
    changes = np.zeros(len(between), np.int64)
    for pair in range(len(between)):
        a, b = between[pair, 0], between[pair, 1]
        for word in range(positive.shape[1]):
            changes[pair] += _bits((positive[a, word] & negative[b, word]) | (negative[a, word] & positive[b, word]))
    return changes


@compiled
@no_type_check
def product_between(product, columns, h, positive, negative, between, share, known, chosen):
    """Write the next layer's W h + b at chosen new vertices, each from those at the two vertices that it lies between.

    h is linear between these but for the neurons that change their sign there, so only their columns of W are needed.

    Args:
        product: (vertices, width) of which rows of vertices that come before are there.
        columns: (inputs, width), W transposed.
        between, share: of the vertices from `known` on: the two vertices around each, and how far along it lies.
    """
    width = product.shape[1]
    for k in chosen:
        vertex, a, b, t = known + k, between[k, 0], between[k, 1], share[k]
        for i in range(width):
            product[vertex, i] = product[a, i] + t * (product[b, i] - product[a, i])
        for word in range(positive.shape[1]):
            change = (positive[a, word] & negative[b, word]) | (negative[a, word] & positive[b, word])
            while change:
                j = word * WORD_BITS + _lowest(change)
                change &= change - ONE
                off = h[vertex, j] - (h[a, j] + t * (h[b, j] - h[a, j]))
                for i in range(width):
                    product[vertex, i] += off * columns[j, i]
