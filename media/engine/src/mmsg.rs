//! Many datagrams in one system call: Linux's `sendmmsg`, where each message is one datagram or one
//! segmented run (`UDP_SEGMENT`) whose parts point straight at the payloads. Decides nothing: what
//! becomes of an error is the business of `egress`.

use std::io;
use std::mem::{offset_of, size_of, zeroed};
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{from_mut, null_mut};

use conclave_sfu::Transmit;
use libc::{c_uint, cmsghdr, iovec, mmsghdr, msghdr, sockaddr_in6};

/// The one control message that is sent: the length of a segment.
#[repr(C)]
struct Control {
    header: cmsghdr,
    segment: u16,
}

// SAFETY: it only computes, and reads no memory.
const CONTROL_LENGTH: usize = unsafe { libc::CMSG_LEN(size_of::<u16>() as c_uint) } as usize;
// SAFETY: as above.
const CONTROL_SPACE: usize = unsafe { libc::CMSG_SPACE(size_of::<u16>() as c_uint) } as usize;

// `Control` is laid out as the kernel reads it.
const _: () = assert!(offset_of!(Control, segment) + size_of::<u16>() == CONTROL_LENGTH);
const _: () = assert!(size_of::<Control>() == CONTROL_SPACE);

/// A destination as the kernel reads it. `sockaddr_storage` would be four times as long, and all of
/// it would be written for each message.
#[repr(C)]
union Address {
    v4: libc::sockaddr_in,
    v6: sockaddr_in6,
}

/// The kernel's view of a batch. Kept between calls for its memory only: between calls all of it
/// is empty, so no pointer outlives what it points at.
#[derive(Default)]
pub(crate) struct Kernel {
    messages: Vec<mmsghdr>,
    parts: Vec<iovec>,
    addresses: Vec<Address>,
    controls: Vec<Control>,
}

impl Kernel {
    /// Send each run of datagrams as one message. Returns how many messages the kernel has taken,
    /// at least one; an error is the first message's, and then none has been sent.
    pub(crate) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        datagrams: &[Transmit],
        runs: &[Range<usize>],
    ) -> io::Result<usize> {
        if runs.is_empty() {
            return Ok(0);
        }
        self.describe(datagrams, runs);
        let count = self.messages.len() as c_uint;
        // SAFETY: `messages` holds `count` headers. `describe` has just made them, and everything
        // they point at - the payloads in `datagrams`, which is borrowed until this function
        // returns, and the other three lists, which nothing has touched since - is alive and has
        // the lengths that they state. The kernel only reads it, apart from `msg_len` in the
        // headers, which are ours and borrowed mutably.
        let sent =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), self.messages.as_mut_ptr(), count, 0) };
        // Before anything else may change it.
        let error = (sent < 0).then(io::Error::last_os_error);
        self.clear();
        match error {
            Some(error) => Err(error),
            None => Ok(sent.unsigned_abs() as usize),
        }
    }

    fn describe(&mut self, datagrams: &[Transmit], runs: &[Range<usize>]) {
        self.clear();
        // First all that is pointed at, then the pointers: a list that grows may move.
        for run in runs {
            let run = &datagrams[run.clone()];
            self.parts.extend(run.iter().map(|datagram| iovec {
                iov_base: datagram.payload.as_ptr().cast_mut().cast(),
                iov_len: datagram.payload.len(),
            }));
            self.addresses.push(Address::of(run[0].destination));
            if run.len() > 1 {
                self.controls
                    .push(Control::segments_of(run[0].payload.len()));
            }
        }
        let mut parts = self.parts.as_mut_slice();
        let mut controls = self.controls.iter_mut();
        for (run, address) in runs.iter().zip(&self.addresses) {
            let own;
            (own, parts) = parts.split_at_mut(run.len());
            let destination = datagrams[run.start].destination;
            // SAFETY: numbers and pointers only, for all of which zero is a value; made so because
            // some C libraries have fields for padding, which cannot be named here.
            let mut header: msghdr = unsafe { zeroed() };
            header.msg_name = std::ptr::from_ref(address).cast_mut().cast();
            header.msg_namelen = Address::length(destination);
            header.msg_iov = own.as_mut_ptr();
            header.msg_iovlen = own.len() as _;
            header.msg_control = null_mut();
            if run.len() > 1
                && let Some(control) = controls.next()
            {
                header.msg_control = from_mut(control).cast();
                header.msg_controllen = CONTROL_SPACE as _;
            }
            self.messages.push(mmsghdr {
                msg_hdr: header,
                msg_len: 0,
            });
        }
    }

    fn clear(&mut self) {
        self.messages.clear();
        self.parts.clear();
        self.addresses.clear();
        self.controls.clear();
    }
}

impl Address {
    fn of(destination: SocketAddr) -> Self {
        // SAFETY: numbers only, for which zero is a value; see `describe`.
        let mut address: Address = unsafe { zeroed() };
        match destination {
            SocketAddr::V4(to) => {
                // SAFETY: all bytes of the union are written, and any are a value of either.
                let v4 = unsafe { &mut address.v4 };
                v4.sin_family = libc::AF_INET as _;
                v4.sin_port = to.port().to_be();
                v4.sin_addr.s_addr = u32::from_ne_bytes(to.ip().octets());
            }
            SocketAddr::V6(to) => {
                // SAFETY: as above.
                let v6 = unsafe { &mut address.v6 };
                v6.sin6_family = libc::AF_INET6 as _;
                v6.sin6_port = to.port().to_be();
                v6.sin6_addr.s6_addr = to.ip().octets();
                v6.sin6_flowinfo = to.flowinfo();
                v6.sin6_scope_id = to.scope_id();
            }
        }
        address
    }

    fn length(destination: SocketAddr) -> libc::socklen_t {
        let length = match destination {
            SocketAddr::V4(_) => size_of::<libc::sockaddr_in>(),
            SocketAddr::V6(_) => size_of::<sockaddr_in6>(),
        };
        length as _
    }
}

impl Control {
    fn segments_of(length: usize) -> Self {
        // SAFETY: numbers only, for which zero is a value; see `describe`.
        let mut header: cmsghdr = unsafe { zeroed() };
        header.cmsg_level = libc::SOL_UDP;
        header.cmsg_type = libc::UDP_SEGMENT;
        header.cmsg_len = CONTROL_LENGTH as _;
        Control {
            header,
            // A run is of datagrams, which are shorter than 64 kB.
            segment: length as u16,
        }
    }
}
