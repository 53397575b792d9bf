// SPDX-License-Identifier: GPL-2.0

//! Stands in for the crate that rustc links into everything: what is in it are
//! functions of machine code, which bitcode does not call.

#![allow(internal_features)]
#![feature(compiler_builtins)]
#![compiler_builtins]
#![no_builtins]
#![no_std]
