package main

import (
	"testing"
	"time"
)

func feed(s *stream, isMeasured bool, sequences ...uint16) {
	for _, sequence := range sequences {
		s.arrive(sequence, 100, time.Now(), isMeasured)
	}
}

func TestLossIsWhatNeverCameBetweenTheFirstAndTheLast(t *testing.T) {
	s := &stream{}
	feed(s, false, 65530, 65531)
	s.bound(time.Now(), true)
	feed(s, true, 65533, 65535, 0, 0, 2)
	s.bound(time.Now(), false)
	// Late: 1 fills a hole, 65534 stays lost, 3 is after the measurement.
	feed(s, false, 1, 3)
	if s.expected() != 6 || s.arrived != 5 || s.received != 5 {
		t.Fatalf("expected %d, arrived %d, received %d", s.expected(), s.arrived, s.received)
	}
}

func TestSilenceIsAnInterruptionAlsoAtTheEnd(t *testing.T) {
	s, start := &stream{}, time.Now()
	s.bound(start, true)
	s.arrive(1, 100, start.Add(600*time.Millisecond), true)
	s.arrive(2, 100, start.Add(700*time.Millisecond), true)
	s.bound(start.Add(1300*time.Millisecond), false)
	if s.interruptions != 2 || s.longestGap != 600*time.Millisecond {
		t.Fatalf("%d interruptions, longest %s", s.interruptions, s.longestGap)
	}
}
