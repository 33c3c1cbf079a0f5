package main

import (
	"fmt"
	"sync"
	"time"
)

// crowd is everybody of a run.
type crowd struct {
	options *options
	secret  string
	members []*member
}

func newCrowd(o *options, secret string) *crowd {
	c := &crowd{options: o, secret: secret}
	kinds := []struct {
		name                  string
		count                 int
		publishes, subscribes bool
	}{
		{"pub", o.publishers, true, false},
		{"both", o.participants, true, true},
		{"sub", o.subscribers, false, true},
	}
	tracksEach := 0
	if o.hasAudio() {
		tracksEach++
	}
	if o.hasVideo() {
		tracksEach++
	}
	all := (o.publishers + o.participants) * tracksEach
	for _, kind := range kinds {
		for number := range kind.count {
			m := &member{
				identity:  fmt.Sprintf("%s-%d", kind.name, number),
				publishes: kind.publishes, subscribes: kind.subscribes,
				streams: map[string]*stream{},
			}
			if kind.subscribes {
				m.expects = all
				if kind.publishes {
					m.expects -= tracksEach
				}
			}
			c.members = append(c.members, m)
		}
	}
	return c
}

// join starts everybody's joining, spread over the ramp.
func (c *crowd) join() {
	step := seconds(c.options.ramp) / time.Duration(len(c.members))
	for at, m := range c.members {
		time.AfterFunc(step*time.Duration(at), func() { m.join(c.options, c.secret) })
	}
}

// await is true once everybody is in and receives.
func (c *crowd) await(limit time.Duration) bool {
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(lookEach) {
		if c.every((*member).isReady) {
			time.Sleep(seconds(c.options.settle))
			return true
		}
		if c.failures() > 0 {
			return false
		}
	}
	return false
}

func (c *crowd) every(holds func(*member) bool) bool {
	for _, m := range c.members {
		if !holds(m) {
			return false
		}
	}
	return true
}

// measured is what one run found.
type measured struct {
	seconds                 float64
	before, after           *usage
	ownBefore, ownAfter     *usage
	received, bytes         uint64
	expected, lost          uint64
	interruptions, silent   int
	longestGap              time.Duration
	leastBytes, mostBytes   uint64
	subscribers, allStreams int
}

func (c *crowd) measure() *measured {
	r := &measured{before: usageOf(c.options.serverPid), ownBefore: ownUsage()}
	start := time.Now()
	for _, m := range c.members {
		m.measure(true)
	}
	time.Sleep(seconds(c.options.duration))
	r.after, r.ownAfter, r.seconds = usageOf(c.options.serverPid), ownUsage(), time.Since(start).Seconds()
	for _, m := range c.members {
		m.measure(false)
	}
	// What is on its way still fills holes.
	time.Sleep(drain)
	for _, m := range c.members {
		if m.subscribes {
			r.add(m)
		}
	}
	return r
}

func (c *crowd) leave() {
	var all sync.WaitGroup
	for _, m := range c.members {
		all.Go(m.leave)
	}
	all.Wait()
}

func (c *crowd) failures() int {
	count := 0
	for _, m := range c.members {
		if m.failure() != "" {
			count++
		}
	}
	return count
}
