//! Sans-IO selective forwarding: datagrams and commands with `now` in, datagrams and events out.
