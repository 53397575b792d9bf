/// What runs a check here is KUnit, one case with one lot of inputs.
pub mod sys {
    use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
    use kernel::bindings;

    // Cases run one after the other, in a thread of their own each.
    static STATE: AtomicU64 = AtomicU64::new(0);
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    /// Runs a check with the inputs of its case.
    pub fn run(case: u64, check: extern "C" fn()) {
        STATE.store(crate::SEED ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15), Relaxed);
        ASKED.store(0, Relaxed);
        check();
    }

    /// Ends the case: no check goes on after what it states is not so.
    fn end(status: bindings::kunit_status) -> ! {
        // SAFETY: There is a current test, since checks are called by their cases alone. Its
        // thread ends here, which KUnit allows.
        unsafe {
            let test = bindings::kunit_get_current_test();
            (*test).status = status;
            bindings::__kunit_abort(test)
        }
    }

    /// How often a value is asked for until it lies in its range: chance would leave out most cases at once.
    pub const TRIES: u32 = if crate::WITNESS.is_none() { 512 } else { 1 };

    /// Ends a case whose inputs do not belong to the check.
    pub fn skip() -> ! {
        end(bindings::kunit_status_KUNIT_SKIPPED)
    }

    /// Some number: splitmix64.
    fn random() -> u64 {
        let s = STATE.load(Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.store(s, Relaxed);
        let z = (s ^ (s >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number by chance, which likes the least and the greatest.
    fn chance() -> u128 {
        let near = u128::from(random() % 17);
        match random() % 4 {
            0 => near,
            1 => !near,
            _ => u128::from(random()) << 64 | u128::from(random()),
        }
    }

    fn next(bits: u32) -> u128 {
        let n = ASKED.fetch_add(1, Relaxed);
        let value = match crate::WITNESS {
            None => chance(),
            Some(inputs) => match inputs.get(n) {
                Some((width, value)) if *width == bits => *value,
                _ => {
                    kernel::kunit::err(kernel::prelude::fmt!(
                        "    # input {n}: the witness has none of {bits} bits: it is of other code\n"
                    ));
                    end(bindings::kunit_status_KUNIT_FAILURE)
                }
            },
        };
        value & (!0 >> (128 - bits))
    }

    pub unsafe fn kvfarm_any_bool() -> bool {
        next(1) != 0
    }

    pub unsafe fn kvfarm_any_u8() -> u8 {
        next(8) as u8
    }

    pub unsafe fn kvfarm_any_u16() -> u16 {
        next(16) as u16
    }

    pub unsafe fn kvfarm_any_u32() -> u32 {
        next(32) as u32
    }

    pub unsafe fn kvfarm_any_u64() -> u64 {
        next(64) as u64
    }

    pub unsafe fn kvfarm_any_u128() -> u128 {
        next(128)
    }

    pub unsafe fn kvfarm_any_usize() -> usize {
        next(usize::BITS) as usize
    }

    pub unsafe fn kvfarm_any_bytes(p: *mut u8, len: usize) {
        for i in 0..len {
            // SAFETY: The caller says that there are so many bytes.
            unsafe { p.add(i).write(next(8) as u8) };
        }
    }

    /// Inputs that do not belong to the check skip the case.
    pub unsafe fn kvfarm_assume(condition: bool) {
        if !condition {
            skip();
        }
    }

    #[track_caller]
    pub unsafe fn kvfarm_assert(condition: bool) {
        if !condition {
            let at = core::panic::Location::caller();
            let (file, line) = (at.file(), at.line());
            kernel::kunit::err(kernel::prelude::fmt!(
                "    # statement at {file}:{line} does not hold\n"
            ));
            end(bindings::kunit_status_KUNIT_FAILURE);
        }
    }
}
