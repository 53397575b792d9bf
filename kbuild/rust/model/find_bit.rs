// SPDX-License-Identifier: GPL-2.0

//! The kernel's search for bits: lib/find_bit.c. What is not found is the size.

const WORD: usize = usize::BITS as usize;

/// The least index from `start` on at which `word` has a bit.
fn next(word: impl Fn(usize) -> usize, size: usize, start: usize) -> usize {
    let mut at = start;
    while at < size {
        let rest = word(at / WORD) >> (at % WORD);
        if rest != 0 {
            let found = at + rest.trailing_zeros() as usize;
            return if found < size { found } else { size };
        }
        at = (at / WORD + 1) * WORD;
    }
    size
}

#[no_mangle]
unsafe extern "C" fn _find_next_bit(p: *const usize, size: usize, start: usize) -> usize {
    // SAFETY: The caller owns words for `size` bits.
    next(|i| unsafe { *p.add(i) }, size, start)
}

#[no_mangle]
unsafe extern "C" fn _find_next_zero_bit(p: *const usize, size: usize, start: usize) -> usize {
    // SAFETY: The caller owns words for `size` bits.
    next(|i| unsafe { !*p.add(i) }, size, start)
}

#[no_mangle]
unsafe extern "C" fn _find_last_bit(p: *const usize, size: usize) -> usize {
    let mut end = size;
    while end > 0 {
        let first = (end - 1) / WORD * WORD;
        // SAFETY: The caller owns words for `size` bits.
        let word = unsafe { *p.add(first / WORD) } & (usize::MAX >> (WORD - (end - first)));
        if word != 0 {
            return first + WORD - 1 - word.leading_zeros() as usize;
        }
        end = first;
    }
    size
}
