package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of times in /proc/<pid>/stat on every Linux that this runs on.
const ticksPerSecond = 100

// usage of a process and its descendants.
type usage struct {
	user, system, residentMB float64
}

func (u *usage) cpu() float64 { return u.user + u.system }

func ownUsage() *usage { return usageOf(os.Getpid()) }

// usageOf is nil for a process that is not there.
func usageOf(pid int) *usage {
	if pid == 0 {
		return nil
	}
	found := &usage{}
	if !found.add(pid) {
		return nil
	}
	return found
}

func (u *usage) add(pid int) bool {
	folder := fmt.Sprintf("/proc/%d", pid)
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return false
	}
	// The name before it may have spaces and brackets.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 {
		return false
	}
	number := func(at int) float64 {
		value, _ := strconv.ParseFloat(fields[at], 64)
		return value
	}
	u.user += number(11) / ticksPerSecond
	u.system += number(12) / ticksPerSecond
	u.residentMB += number(21) * float64(os.Getpagesize()) / 1e6
	children, _ := filepath.Glob(filepath.Join(folder, "task", "*", "children"))
	for _, path := range children {
		text, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(text)) {
			if number, err := strconv.Atoi(child); err == nil {
				u.add(number)
			}
		}
	}
	return true
}
