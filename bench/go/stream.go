package main

import "time"

const (
	interruption = 500 * time.Millisecond
	// history of sequence numbers by which duplicates and late ones are told apart.
	history = 4096
)

// stream is what one member receives of one track. Loss is what is missing between the first and the
// last sequence number that came within the measurement; what comes late still counts as arrived.
type stream struct {
	has           bool
	newest        int64
	seen          [history]int64
	first, last   int64
	hasFirst      bool
	arrived       uint64
	received      uint64
	bytes         uint64
	lastArrival   time.Time
	interruptions int
	longestGap    time.Duration
}

// arrive takes in a packet.
func (s *stream) arrive(short uint16, size int, now time.Time, isMeasured bool) {
	sequence := s.extend(short)
	slot := &s.seen[sequence&(history-1)]
	// One more than the number, since the history begins as zeros.
	isNew := *slot != sequence+1
	*slot = sequence + 1
	if isMeasured {
		s.received++
		s.bytes += uint64(size)
		s.gap(now)
		if !s.hasFirst {
			s.hasFirst, s.first, s.last = true, sequence, sequence-1
		}
		s.last = max(s.last, sequence)
	}
	if isNew && s.hasFirst && sequence >= s.first && sequence <= s.last {
		s.arrived++
	}
}

func (s *stream) extend(short uint16) int64 {
	if !s.has {
		// Far enough above zero for numbers before the first.
		s.has, s.newest = true, int64(short)+1<<20
		return s.newest
	}
	sequence := s.newest + int64(int16(short-uint16(s.newest)))
	s.newest = max(s.newest, sequence)
	return sequence
}

// bound begins or ends the measurement.
func (s *stream) bound(now time.Time, begins bool) {
	if begins {
		s.lastArrival = now
		return
	}
	s.gap(now)
}

func (s *stream) gap(now time.Time) {
	gap := now.Sub(s.lastArrival)
	s.lastArrival = now
	s.longestGap = max(s.longestGap, gap)
	if gap > interruption {
		s.interruptions++
	}
}

func (s *stream) expected() uint64 {
	if !s.hasFirst {
		return 0
	}
	return uint64(s.last - s.first + 1)
}

func (r *measured) add(m *member) {
	m.lock.Lock()
	defer m.lock.Unlock()
	var bytes uint64
	for _, s := range m.streams {
		expected := s.expected()
		r.received += s.received
		bytes += s.bytes
		r.expected += expected
		r.lost += expected - min(expected, s.arrived)
		r.interruptions += s.interruptions
		r.longestGap = max(r.longestGap, s.longestGap)
		if s.received == 0 {
			r.silent++
		}
	}
	r.silent += max(0, m.expects-len(m.streams))
	r.allStreams += m.expects
	if r.subscribers == 0 {
		r.leastBytes = bytes
	}
	r.subscribers++
	r.bytes += bytes
	r.leastBytes, r.mostBytes = min(r.leastBytes, bytes), max(r.mostBytes, bytes)
}
