;; A guest that does what the second byte of `:path` and the first byte of its configuration say.
;; It exists to test the simulated host: it decides nothing.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_http_call"
    (func $callout (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $act_on (param i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
  (import "env" "proxy_set_tick_period_milliseconds" (func $tick_every (param i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))

  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 4096))
  (global $waiting (mut i32) (i32.const 0))
  (data (i32.const 0) ":path")
  (data (i32.const 16) "idp")
  ;; three pairs: :method GET, :path /k, :authority i
  (data (i32.const 32)
    "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\02\00\00\00\0a\00\00\00\01\00\00\00:method\00GET\00:path\00/k\00:authority\00i\00")
  (data (i32.const 128) "refused here")
  (data (i32.const 160) "second time")
  (data (i32.const 192) "ticks")
  (data (i32.const 208) "x-bad")
  (data (i32.const 216) "a\0d\0ab")
  (data (i32.const 224) "request headers are readable")
  (data (i32.const 256) "\00\00\00\00")
  (data (i32.const 272) "unexpected status")

  (func (export "malloc") (param $length i32) (result i32)
    (global.set $heap (i32.add (global.get $heap) (local.get $length)))
    (i32.sub (global.get $heap) (local.get $length)))

  (func $start_callout (result i32)
    (call $callout (i32.const 16) (i32.const 3) (i32.const 32) (i32.const 66) (i32.const 0) (i32.const 0)
      (i32.const 256) (i32.const 4) (i32.const 2000) (i32.const 900)))

  (func $refuse (param $details i32) (param $length i32) (param $status i32)
    (drop (call $reply (local.get $status) (local.get $details) (local.get $length) (i32.const 128) (i32.const 7)
      (i32.const 256) (i32.const 4) (i32.const -1))))

  (func (export "_initialize"))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))

  (func (export "proxy_on_configure") (param $root i32) (param $length i32) (result i32)
    (local $command i32)
    (drop (call $define (i32.const 0) (i32.const 192) (i32.const 5) (i32.const 908)))
    (if (call $buffer (i32.const 7) (i32.const 0) (local.get $length) (i32.const 900) (i32.const 904))
      (then (return (i32.const 0))))
    (local.set $command (i32.load8_u (i32.load (i32.const 900))))
    (if (i32.eq (local.get $command) (i32.const 102)) (then (return (i32.const 0)))) ;; f: fail
    (if (i32.eq (local.get $command) (i32.const 116)) (then unreachable))            ;; t: trap
    (if (i32.eq (local.get $command) (i32.const 107)) (then (drop (call $start_callout)))) ;; k: fetch keys
    (if (i32.eq (local.get $command) (i32.const 115)) (then (drop (call $tick_every (i32.const 1000))))) ;; s: tick
    (i32.const 1))

  (func (export "proxy_on_tick") (param i32)
    (drop (call $increment (i32.load (i32.const 908)) (i64.const 1))))

  (func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
    (local $command i32)
    (if (call $header (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 900) (i32.const 904))
      (then (call $refuse (i32.const 272) (i32.const 17) (i32.const 500)) (return (i32.const 0))))
    (local.set $command (i32.load8_u (i32.add (i32.load (i32.const 900)) (i32.const 1))))
    (if (i32.eq (local.get $command) (i32.const 112)) ;; p: pause for ever
      (then (return (i32.const 1))))
    (if (i32.eq (local.get $command) (i32.const 114)) ;; r: refuse, and say Continue: the host must not believe it
      (then (call $refuse (i32.const 128) (i32.const 12) (i32.const 403)) (return (i32.const 0))))
    (if (i32.eq (local.get $command) (i32.const 50)) ;; 2: refuse twice
      (then (call $refuse (i32.const 128) (i32.const 12) (i32.const 403))
            (call $refuse (i32.const 160) (i32.const 11) (i32.const 401)) (return (i32.const 1))))
    (if (i32.eq (local.get $command) (i32.const 116)) (then unreachable)) ;; t: trap
    (if (i32.eq (local.get $command) (i32.const 108)) (then (loop $forever (br $forever)))) ;; l: loop
    (if (i32.eq (local.get $command) (i32.const 109)) ;; m: all the memory there is, then trap
      (then (loop $more
        (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable))
    (if (i32.eq (local.get $command) (i32.const 98)) ;; b: a header value nobody can write
      (then (drop (call $add (i32.const 0) (i32.const 208) (i32.const 5) (i32.const 216) (i32.const 4)))))
    (if (i32.eq (local.get $command) (i32.const 104)) ;; h: hold until a callout answers
      (then
        (global.set $waiting (local.get $id))
        (if (call $start_callout)
          (then (call $refuse (i32.const 272) (i32.const 17) (i32.const 503))))
        (return (i32.const 1))))
    (drop (call $set_property (i32.const 16) (i32.const 3) (i32.const 16) (i32.const 3)))
    (i32.const 0))

  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
    (if (i32.eqz (global.get $waiting)) (then (return)))
    ;; A stream that has gone is a bad argument and nothing else.
    (if (i32.eqz (call $act_on (global.get $waiting)))
      (then (drop (call $continue (i32.const 0))))))

  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (if (i32.eqz (call $header (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 900) (i32.const 904)))
      (then (drop (call $log (i32.const 3) (i32.const 224) (i32.const 28)))))
    (i32.const 0))

  (func (export "proxy_on_log") (param i32)
    (if (call $header (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 900) (i32.const 904))
      (then (drop (call $log (i32.const 4) (i32.const 272) (i32.const 17))))))
  (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
  (func (export "proxy_on_delete") (param i32)))
