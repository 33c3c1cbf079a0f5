package main

import (
	"math"
	"slices"
	"time"
)

type fields = map[string]any

func rounded(value float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(value*scale) / scale
}

// summary has the fields of conclave-load's, null where this client cannot know.
func (r *measured) summary(o *options, c *crowd, isReady bool) fields {
	unready := 0
	if !isReady {
		unready = 1
	}
	failures := c.failures()
	return fields{
		"type": "summary", "label": o.label, "generator": "go",
		"scenario": fields{
			"rooms": 1, "publishers": o.publishers, "participants": o.participants,
			"subscribers": o.subscribers, "media": o.media, "video_bitrate": o.videoBitrate,
			"audio_bitrate": o.audioBitrate, "simulcast": o.isSimulcast, "connection": o.connection,
			"seed": o.seed, "duration_s": rounded(r.seconds, 3),
		},
		"packets": r.packets(),
		"streams": fields{
			"expected": r.allStreams, "silent": r.silent, "interruptions": r.interruptions,
			"longest_gap_ms": rounded(r.longestGap.Seconds()*1e3, 1),
		},
		"latency_ms": quantiles(nil),
		"joining":    c.joining(),
		"server":     r.server(),
		"own":        fields{"cpu_percent": rounded((r.ownAfter.cpu()-r.ownBefore.cpu())*100/r.seconds, 1)},
		"checks": []fields{
			{"name": "failures", "limit": 0, "found": failures, "holds": failures == 0},
			{"name": "unready_participants", "limit": 0, "found": unready, "holds": isReady},
			{"name": "silent_streams", "limit": 0, "found": r.silent, "holds": r.silent == 0},
		},
	}
}

func (r *measured) packets() fields {
	megabits := func(bytes uint64) float64 { return rounded(float64(bytes)*8/1e6/r.seconds, 3) }
	var loss any
	if r.expected > 0 {
		loss = float64(r.lost) / float64(r.expected)
	}
	return fields{
		"received": r.received, "per_second": rounded(float64(r.received)/r.seconds, 1),
		"bytes": r.bytes, "expected": r.expected, "arrived": r.expected - r.lost, "lost": r.lost,
		"loss": loss, "megabits_per_second": megabits(r.bytes),
		"megabits_per_subscriber": fields{
			"mean": megabits(r.bytes / uint64(max(r.subscribers, 1))),
			"min":  megabits(r.leastBytes), "max": megabits(r.mostBytes),
		},
	}
}

func (c *crowd) joining() fields {
	var connected []time.Duration
	reasons := []string{}
	for _, m := range c.members {
		m.lock.Lock()
		if m.connected > 0 {
			connected = append(connected, m.connected)
		}
		if m.reason != "" && len(reasons) < 20 {
			reasons = append(reasons, m.identity+": "+m.reason)
		}
		m.lock.Unlock()
	}
	return fields{
		"joins": len(connected), "failures": c.failures(), "reasons": reasons,
		"connected_ms": quantiles(connected),
	}
}

func quantiles(times []time.Duration) fields {
	slices.Sort(times)
	at := func(fraction float64) any {
		if len(times) == 0 {
			return nil
		}
		index := int(math.Ceil(fraction*float64(len(times)))) - 1
		return rounded(times[max(index, 0)].Seconds()*1e3, 3)
	}
	return fields{"count": len(times), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1)}
}

func (r *measured) server() fields {
	if r.before == nil || r.after == nil {
		return fields{"cpu_us_per_packet": nil}
	}
	spent := r.after.cpu() - r.before.cpu()
	var each any
	if r.received > 0 {
		each = rounded(spent*1e6/float64(r.received), 2)
	}
	return fields{
		"cpu_us_per_packet": each,
		"cpu_s":             rounded(spent, 2),
		"user_s":            rounded(r.after.user-r.before.user, 2),
		"system_s":          rounded(r.after.system-r.before.system, 2),
		"cpu_percent":       rounded(spent*100/r.seconds, 1),
		"resident_mb":       rounded(r.after.residentMB, 1),
	}
}
