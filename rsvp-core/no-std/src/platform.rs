//! What an embedder's platform provides in place of std: a heap, a panic handler, the way in and out of the program, and
//! the memory functions that compiled code calls.

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use linked_list_allocator::LockedHeap;

const HEAP_SIZE: usize = 1 << 20;

static mut HEAP: [MaybeUninit<u8>; HEAP_SIZE] = [const { MaybeUninit::uninit() }; HEAP_SIZE];

#[global_allocator]
static ALLOCATOR: LockedHeap = LockedHeap::empty();

/// The exit code of a panic: above those of the steps.
const PANICKED: u8 = 101;

#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    write("rsvp-core-no-std: panicked\n");
    exit(PANICKED)
}

// The kernel enters with the stack aligned and no return address; a function expects the opposite.
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {main}", "ud2", main = sym main);

extern "C" fn main() -> ! {
    // SAFETY: this is the only use of HEAP, and comes before the first allocation.
    unsafe { ALLOCATOR.lock().init_from_slice(&mut *(&raw mut HEAP)) };
    match crate::run() {
        Ok(()) => {
            write("rsvp-core-no-std: a reservation was made and expired, without std\n");
            exit(0)
        }
        Err(step) => exit(step),
    }
}

fn exit(code: u8) -> ! {
    // SAFETY: exit_group(2) does not return and touches no memory of ours.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") u64::from(code), options(noreturn, nostack)) }
}

fn write(text: &str) {
    // SAFETY: write(2) reads the text; the kernel changes rax, rcx and r11. A failure is of no interest.
    unsafe {
        asm!("syscall", inlateout("rax") 1_u64 => _, in("rdi") 1, in("rsi") text.as_ptr(), in("rdx") text.len(),
            lateout("rcx") _, lateout("r11") _, options(nostack, readonly));
    }
}

// The prebuilt core and alloc name it, for unwinding; panics abort here.
global_asm!(".globl rust_eh_personality", "rust_eh_personality:", "ud2");

// The standard library for this target takes these from libc. In assembly, since the compiler would turn a loop into a
// call of the very function.
global_asm!(
    ".globl memcpy, memmove, memset, memcmp, bcmp",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    // Backwards if the destination begins within the source.
    "memmove:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "mov r8, rdi",
    "sub r8, rsi",
    "cmp r8, rdx",
    "jb 2f",
    "rep movsb",
    "ret",
    "2:",
    "lea rdi, [rdi + rdx - 1]",
    "lea rsi, [rsi + rdx - 1]",
    "std",
    "rep movsb",
    "cld",
    "ret",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    "memcmp:",
    "bcmp:",
    "mov rcx, rdx",
    "xor eax, eax",
    "cmp rcx, rcx",
    "repe cmpsb",
    "je 3f",
    "movzx eax, byte ptr [rdi - 1]",
    "movzx ecx, byte ptr [rsi - 1]",
    "sub eax, ecx",
    "3:",
    "ret",
);
