/*
 * The RSVP engine (RFC 2205, RFC 2961) for C and C++.
 *
 * Made by cbindgen from the sources of rsvp-capi; do not edit. docs/c-api.md has a walk through.
 *
 * A node has no sockets, clock, threads or routing table. The rsvp_node_handle_ functions tell it what happened,
 * rsvp_node_command_json() what a local application wants; the rsvp_node_poll_ functions give what is to be done
 * outside. They may be called in any order. The recommended loop: hand in what is at hand, poll every output until
 * RSVP_STATUS_EMPTY, wait for an input or for the deadline of rsvp_node_poll_timeout(), and then call
 * rsvp_node_handle_timeout().
 *
 * Time (`now`): microseconds on a clock of the caller's that never runs backwards, such as CLOCK_MONOTONIC.
 *
 * Ownership: what the caller hands in stays the caller's, and is not used after the call. What a node gives (payloads,
 * texts, installations) belongs to the node, and is valid until the next call with the same node. The caller frees a node
 * with rsvp_node_free() and the text of rsvp_decode_json() with rsvp_string_free(), nothing else.
 *
 * Threads: one node is used by one thread at a time; that may be another one each time. Different nodes are independent.
 * rsvp_last_error() is of the calling thread. The library starts no threads and has no other state.
 *
 * Failures: a function returns a negative status, writes nothing but what it says it does, and rsvp_last_error() tells
 * why in one line. NULL where it must not be, and values out of range, are such failures. A pointer that is not NULL must
 * be valid: to a live node, to a NUL-terminated UTF-8 text, to as many elements as the count says.
 *
 * A bug in the library (a Rust panic) never leaves it: the call, and every later one with the node, returns
 * RSVP_STATUS_PANICKED. Free the node, and make a new one.
 */


#ifndef RSVP_H
#define RSVP_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this interface. It grows when a program that was compiled against an older header would no longer
 * work; compare it with what rsvp_abi_version() gives when you load the library dynamically.
 */
#define RSVP_ABI_VERSION 1

/**
 * Octets of the seed that rsvp_node_new() takes.
 */
#define RSVP_SEED_LENGTH 32

/**
 * rsvp_address.family: there is no address.
 */
#define RSVP_NO_ADDRESS 0

/**
 * rsvp_address.family: IPv4.
 */
#define RSVP_IPV4 4

/**
 * rsvp_address.family: IPv6.
 */
#define RSVP_IPV6 6

/**
 * In place of an interface's number: none, or any. No interface has this number.
 */
#define RSVP_NO_INTERFACE 0

/**
 * rsvp_datagram.ttl: the driver cannot tell.
 */
#define RSVP_TTL_UNKNOWN -1

/**
 * rsvp_encapsulation.kind: IP protocol 46.
 */
#define RSVP_RAW 0

/**
 * rsvp_encapsulation.kind: UDP (RFC 2205 Appendix C).
 */
#define RSVP_UDP 1

/**
 * rsvp_node_poll_timeout(): datagrams can be sent.
 */
#define RSVP_READY_TRANSMIT 1

/**
 * rsvp_node_poll_timeout(): events can be taken.
 */
#define RSVP_READY_EVENTS 2

/**
 * rsvp_node_poll_timeout(): requests can be taken.
 */
#define RSVP_READY_REQUESTS 4

/**
 * rsvp_node_poll_timeout(): all of these.
 */
#define RSVP_READY_ALL 7

/**
 * rsvp_node_handle_preempted(): something more important needed the resources.
 */
#define RSVP_PREEMPTED_PRIORITY 0

/**
 * rsvp_node_handle_preempted(): the resources are gone (a link got slower, a device was reset).
 */
#define RSVP_PREEMPTED_RESOURCE_LOST 1

/**
 * rsvp_installation.police: E_Police_Flag, this node is the first that can police (RFC 2205 section 3.8).
 */
#define RSVP_POLICE_ENTRY 1

/**
 * rsvp_installation.police: M_Police_Flag, a shared reservation merges several senders.
 */
#define RSVP_POLICE_MERGE 2

/**
 * rsvp_installation.police: B_Police_Flag, the flow branches, and gets less here than elsewhere.
 */
#define RSVP_POLICE_BRANCH 4

/**
 * What a function returns. Negative: it failed, and rsvp_last_error() tells why.
 */
enum rsvp_status {
    /**
     * It is done, and what was asked for is written.
     */
    RSVP_STATUS_OK = 0,
    /**
     * There is nothing to give: a poll function has no more, or no deadline. Nothing is written.
     */
    RSVP_STATUS_EMPTY = 1,
    /**
     * A pointer is NULL that must not be, or a value is out of range. The node is as it was.
     */
    RSVP_STATUS_INVALID_ARGUMENT = -1,
    /**
     * A text is no UTF-8, no JSON, or not the JSON that is wanted. The node is as it was.
     */
    RSVP_STATUS_INVALID_JSON = -2,
    /**
     * The node refuses the command: it is the caller's fault (a session that does not exist, a style that conflicts).
     */
    RSVP_STATUS_REFUSED = -3,
    /**
     * This or an earlier call on this node ran into a bug of the library. The node can only be freed.
     */
    RSVP_STATUS_PANICKED = -4,
};

/**
 * The kinds of requests.
 */
enum rsvp_request_kind {
    /**
     * Look up the route `route`, answer with rsvp_node_handle_route(), and again whenever it changes.
     */
    RSVP_REQUEST_KIND_WATCH_ROUTE,
    /**
     * `route` is of no interest any more.
     */
    RSVP_REQUEST_KIND_UNWATCH_ROUTE,
    /**
     * Give a flow what `installation` says, whether it is new or changed, and answer with
     * rsvp_node_handle_installed(). There is no further request for the same id before the answer.
     */
    RSVP_REQUEST_KIND_INSTALL,
    /**
     * Take the installation `installation_id` away. There is no answer.
     */
    RSVP_REQUEST_KIND_REMOVE,
    /**
     * Receive what is sent to `group` on `interface` (RSVP_NO_INTERFACE: as the system chooses): a local application
     * does. There is no answer. It may be joined already.
     */
    RSVP_REQUEST_KIND_JOIN,
    /**
     * The last local application has left `group` there. There is no answer. It may not be joined.
     */
    RSVP_REQUEST_KIND_LEAVE,
};

/**
 * What tells a sender's packets from those of others, beside the source address.
 */
enum rsvp_filter_kind {
    /**
     * The source port; 0: any, or the protocol has none.
     */
    RSVP_FILTER_KIND_PORT,
    /**
     * The IPv6 flow label.
     */
    RSVP_FILTER_KIND_FLOW_LABEL,
    /**
     * The security parameter index of IPsec (RFC 2207).
     */
    RSVP_FILTER_KIND_SPI,
    /**
     * Something that this version of the interface does not tell.
     */
    RSVP_FILTER_KIND_OTHER,
};

/**
 * The services.
 */
enum rsvp_service {
    /**
     * Controlled load (RFC 2211): `tspec`.
     */
    RSVP_SERVICE_CONTROLLED_LOAD,
    /**
     * Guaranteed service (RFC 2212): `tspec`, `rate`, `slack`.
     */
    RSVP_SERVICE_GUARANTEED,
    /**
     * Null service (RFC 2997): `tspec.max_packet` alone.
     */
    RSVP_SERVICE_NULL,
    /**
     * Another: `ctype`, `contents`.
     */
    RSVP_SERVICE_OTHER,
};

/**
 * What is done with packets beyond the token bucket of their flow.
 */
enum rsvp_handling {
    /**
     * The service has no token bucket.
     */
    RSVP_HANDLING_NONE,
    /**
     * They are best effort, or discarded (`discards`).
     */
    RSVP_HANDLING_POLICE,
    /**
     * All wait until they conform; what no longer fits into the buffer does not.
     */
    RSVP_HANDLING_RESHAPE,
};

/**
 * Why the node wants to be called again.
 */
enum rsvp_wake_reason {
    /**
     * A message is ready to be sent.
     */
    RSVP_WAKE_REASON_TRANSMIT,
    /**
     * An event is ready.
     */
    RSVP_WAKE_REASON_EVENT,
    /**
     * A request is ready.
     */
    RSVP_WAKE_REASON_REQUEST,
    /**
     * Work is left over from an earlier call.
     */
    RSVP_WAKE_REASON_BACKLOG,
    /**
     * State is due for a refresh.
     */
    RSVP_WAKE_REASON_REFRESH,
    /**
     * State may be due to expire.
     */
    RSVP_WAKE_REASON_CLEANUP,
    /**
     * A blockade ends.
     */
    RSVP_WAKE_REASON_BLOCKADE,
    /**
     * A local repair has waited long enough.
     */
    RSVP_WAKE_REASON_REPAIR,
    /**
     * A message may have to be sent again (RFC 2961 section 6).
     */
    RSVP_WAKE_REASON_RETRANSMIT,
    /**
     * An acknowledgement has waited long enough (RFC 2961 section 4.6).
     */
    RSVP_WAKE_REASON_ACKNOWLEDGE,
    /**
     * Messages have waited for others long enough (RFC 2961 section 3.3).
     */
    RSVP_WAKE_REASON_BUNDLE,
};

/**
 * An RSVP node: one per host or router, however many interfaces it has. rsvp_node_new() makes one,
 * rsvp_node_free() frees it.
 */
struct rsvp_node;

/**
 * An IP address, or none.
 */
struct rsvp_address {
    /**
     * RSVP_NO_ADDRESS, RSVP_IPV4 or RSVP_IPV6.
     */
    uint8_t family;
    /**
     * In network byte order: the first 4 octets for IPv4, all for IPv6.
     */
    uint8_t octets[16];
};

/**
 * How an RSVP message is carried (RFC 2205 Appendix C). All zero: raw.
 */
struct rsvp_encapsulation {
    /**
     * RSVP_RAW (IP protocol 46) or RSVP_UDP.
     */
    uint8_t kind;
    /**
     * For UDP: the source port.
     */
    uint16_t source_port;
    /**
     * For UDP: the destination port.
     */
    uint16_t destination_port;
};

/**
 * A received RSVP message.
 */
struct rsvp_datagram {
    /**
     * The number of the interface that it came in on.
     */
    uint32_t interface;
    /**
     * IP source address.
     */
    struct rsvp_address source;
    /**
     * IP destination address; may be another node's, when the message was intercepted in transit.
     */
    struct rsvp_address destination;
    /**
     * The TTL or hop limit that it arrived with, 0 to 255, or RSVP_TTL_UNKNOWN.
     */
    int32_t ttl;
    /**
     * How it was carried.
     */
    struct rsvp_encapsulation encapsulation;
    /**
     * The RSVP message from the common header on, without IP and UDP headers.
     */
    const uint8_t *payload;
    /**
     * Its length in octets.
     */
    size_t length;
};

/**
 * An interface (the "logical interface" of RFC 2205 section 3.3).
 */
struct rsvp_interface {
    /**
     * Its number, not 0: the logical interface handle. It must never name another interface later, not even after a
     * restart, since neighbours echo it.
     */
    uint32_t id;
    /**
     * Its name, UTF-8; selects its configuration.
     */
    const char *name;
    /**
     * Its addresses, the preferred one of each family first.
     */
    const struct rsvp_address *addresses;
    /**
     * How many.
     */
    size_t address_count;
    /**
     * Largest IP packet, in octets.
     */
    uint32_t mtu;
    /**
     * 1 if it can carry packets now, else 0.
     */
    uint8_t up;
    /**
     * 1 if there can be only one neighbour on it, as on a tunnel or a serial link, else 0.
     */
    uint8_t point_to_point;
};

/**
 * What identifies a watched route.
 */
struct rsvp_route_key {
    /**
     * Routing table; 0 is the default one.
     */
    uint32_t table;
    /**
     * Where packets go.
     */
    struct rsvp_address destination;
    /**
     * For multicast: where they come from; else RSVP_NO_ADDRESS.
     */
    struct rsvp_address source;
};

/**
 * One outgoing interface of a route.
 */
struct rsvp_next_hop {
    /**
     * The interface.
     */
    uint32_t interface;
    /**
     * The next router. RSVP_NO_ADDRESS: the destination is on this link, or for multicast: the next hops are not known.
     */
    struct rsvp_address gateway;
};

/**
 * Where packets to a destination go (RFC 2205 section 3.11.4). All zero: there is no route.
 */
struct rsvp_route {
    /**
     * 1 if the destination is an address of this node, or a group that it is a member of, else 0.
     */
    uint8_t local;
    /**
     * For multicast: 1 if all senders share the forwarding tree, else 0.
     */
    uint8_t shared_tree;
    /**
     * For multicast: the interface that the source's packets must arrive on; else RSVP_NO_INTERFACE.
     */
    uint32_t incoming;
    /**
     * The interfaces that packets leave by.
     */
    const struct rsvp_next_hop *outgoing;
    /**
     * How many.
     */
    size_t outgoing_count;
};

/**
 * A message to send, and how.
 */
struct rsvp_transmit {
    /**
     * The interface to leave by; RSVP_NO_INTERFACE leaves the choice to the routing table.
     */
    uint32_t interface;
    /**
     * The neighbour to hand the packet to; RSVP_NO_ADDRESS when it is the destination itself.
     */
    struct rsvp_address next_hop;
    /**
     * IP source address; a raw Path carries its sender's, which may be another node's.
     */
    struct rsvp_address source;
    /**
     * IP destination address.
     */
    struct rsvp_address destination;
    /**
     * TTL or hop limit.
     */
    uint8_t ttl;
    /**
     * 1 if the Router Alert option is to be set (RFC 2113, RFC 2711), else 0.
     */
    uint8_t router_alert;
    /**
     * The DS field.
     */
    uint8_t traffic_class;
    /**
     * How to carry it.
     */
    struct rsvp_encapsulation encapsulation;
    /**
     * The RSVP message. It belongs to the node, and is valid until the next call with it.
     */
    const uint8_t *payload;
    /**
     * Its length in octets.
     */
    size_t length;
};

/**
 * A session: where its packets go.
 */
struct rsvp_session {
    /**
     * Destination address.
     */
    struct rsvp_address destination;
    /**
     * IP protocol.
     */
    uint8_t protocol;
    /**
     * Destination port; 0: any, or the protocol has none.
     */
    uint16_t port;
};

/**
 * A sender: where packets come from.
 */
struct rsvp_filter {
    /**
     * What `value` is.
     */
    enum rsvp_filter_kind kind;
    /**
     * Source address.
     */
    struct rsvp_address source;
    /**
     * Port, flow label or security parameter index.
     */
    uint32_t value;
};

/**
 * A token bucket (RFC 2210 section 3.1).
 */
struct rsvp_tspec {
    /**
     * r, the bucket's rate in octets per second.
     */
    float rate;
    /**
     * b, its depth in octets.
     */
    float bucket;
    /**
     * p, the peak rate in octets per second; may be infinite.
     */
    float peak;
    /**
     * m, the minimum policed unit in octets.
     */
    uint32_t min_unit;
    /**
     * M, the largest packet in octets.
     */
    uint32_t max_packet;
};

/**
 * What a flow gets. What its service does not use is zero.
 */
struct rsvp_flowspec {
    /**
     * The service.
     */
    enum rsvp_service service;
    /**
     * The traffic that it is given to.
     */
    struct rsvp_tspec tspec;
    /**
     * R, the rate of guaranteed service in octets per second.
     */
    float rate;
    /**
     * S, its slack in microseconds.
     */
    uint32_t slack;
    /**
     * C-Type of a FLOWSPEC that is not interpreted.
     */
    uint8_t ctype;
    /**
     * Contents of a FLOWSPEC that is not interpreted, without the object header; else NULL.
     */
    const uint8_t *contents;
    /**
     * Their length in octets.
     */
    size_t length;
};

/**
 * What traffic control is to do for a reservation. All of it belongs to the node.
 */
struct rsvp_installation {
    /**
     * Its name.
     */
    uint64_t id;
    /**
     * The interface that the packets leave by.
     */
    uint32_t interface;
    /**
     * Whose packets. The virtual port of an IPsec session (RFC 2207) is 0 here, since packets have none.
     */
    struct rsvp_session session;
    /**
     * Which senders' packets.
     */
    const struct rsvp_filter *filters;
    /**
     * How many. 0: all senders' (wildcard).
     */
    size_t filter_count;
    /**
     * What they get (TC_Flowspec).
     */
    struct rsvp_flowspec flowspec;
    /**
     * What the senders said they send, summed (Path_Te); NULL: they said nothing that is a token bucket.
     */
    const struct rsvp_tspec *sender_tspec;
    /**
     * Where to police: RSVP_POLICE_ENTRY, RSVP_POLICE_MERGE, RSVP_POLICE_BRANCH, or-ed.
     */
    uint8_t police;
    /**
     * How to keep the flow to its token bucket.
     */
    enum rsvp_handling handling;
    /**
     * 1 if what does not conform is discarded where it is policed, 0 if it is best effort.
     */
    uint8_t discards;
    /**
     * For guaranteed service: octets of IP packets that may have to wait here at most (RFC 2212, "Policing"); else 0.
     */
    uint32_t buffer;
};

/**
 * Work that only the outside can do. What its kind does not use is zero.
 */
struct rsvp_request {
    /**
     * What to do.
     */
    enum rsvp_request_kind kind;
    /**
     * For WATCH_ROUTE and UNWATCH_ROUTE.
     */
    struct rsvp_route_key route;
    /**
     * For INSTALL and REMOVE: names the installation; never used again for another.
     */
    uint64_t installation_id;
    /**
     * For INSTALL. It belongs to the node, and is valid until the next call with it.
     */
    const struct rsvp_installation *installation;
    /**
     * For JOIN and LEAVE.
     */
    struct rsvp_address group;
    /**
     * For JOIN and LEAVE.
     */
    uint32_t interface;
};

/**
 * When to call the node again, and why.
 */
struct rsvp_timeout {
    /**
     * When to call rsvp_node_handle_timeout(), in microseconds on the caller's clock.
     */
    uint64_t deadline;
    /**
     * Why.
     */
    enum rsvp_wake_reason reason;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * RSVP_ABI_VERSION of the library.
 */
uint32_t rsvp_abi_version(void);

/**
 * The version of the library, such as "0.1.0". It is static.
 */
const char *rsvp_version(void);

/**
 * Why the last failed call of this thread failed: one line. Empty if none has.
 *
 * The text belongs to the library, and is valid until the next call of this thread that fails.
 */
const char *rsvp_last_error(void);

/**
 * Makes a node.
 *
 * `config` is JSON (see "Configuration" in docs/c-api.md; what it leaves out is the default) or NULL for the default.
 * `seed` is RSVP_SEED_LENGTH octets that nobody can foresee: take them from the operating system at every start, for
 * instance with getrandom(). With the same configuration, seed and calls a node does the same. `now` is the time,
 * see above.
 *
 * `node` takes the new node, which is the caller's to free; NULL if the call fails.
 */
enum rsvp_status rsvp_node_new(const char *config,
                               const uint8_t *seed,
                               uint64_t now,
                               struct rsvp_node **node);

/**
 * Frees a node and all that it has lent. NULL is ignored. It tells its neighbours nothing: for that, give it the
 * command "Shutdown" before, and carry out what it polls until rsvp_node_is_stopped().
 */
void rsvp_node_free(struct rsvp_node *node);

/**
 * Time has passed; work that is due gets done.
 */
enum rsvp_status rsvp_node_handle_timeout(struct rsvp_node *node, uint64_t now);

/**
 * A message arrived. Whatever it contains, the call succeeds: a neighbour's fault is answered or counted. The payload
 * is not used after the call.
 */
enum rsvp_status rsvp_node_handle_datagram(struct rsvp_node *node,
                                           uint64_t now,
                                           const struct rsvp_datagram *datagram);

/**
 * An interface appeared or changed: went up or down, got another address.
 */
enum rsvp_status rsvp_node_handle_interface(struct rsvp_node *node,
                                            uint64_t now,
                                            const struct rsvp_interface *interface);

/**
 * An interface is gone for good.
 */
enum rsvp_status rsvp_node_handle_interface_removed(struct rsvp_node *node,
                                                    uint64_t now,
                                                    uint32_t interface);

/**
 * The answer to RSVP_REQUEST_KIND_WATCH_ROUTE, or a change of a watched route. `key` is that of the request.
 */
enum rsvp_status rsvp_node_handle_route(struct rsvp_node *node,
                                        uint64_t now,
                                        const struct rsvp_route_key *key,
                                        const struct rsvp_route *route);

/**
 * The answer to RSVP_REQUEST_KIND_INSTALL. `failure` is NULL if traffic control has done what was asked, else why it
 * could not, in words.
 */
enum rsvp_status rsvp_node_handle_installed(struct rsvp_node *node,
                                            uint64_t now,
                                            uint64_t installation_id,
                                            const char *failure);

/**
 * Traffic control withdrew an installation by itself. `reason` is RSVP_PREEMPTED_PRIORITY or
 * RSVP_PREEMPTED_RESOURCE_LOST.
 */
enum rsvp_status rsvp_node_handle_preempted(struct rsvp_node *node,
                                            uint64_t now,
                                            uint64_t installation_id,
                                            uint32_t reason);

/**
 * The driver's socket takes no more datagrams: rsvp_node_poll_transmit() gives none until it does again.
 */
enum rsvp_status rsvp_node_handle_socket_blocked(struct rsvp_node *node,
                                                 uint64_t now);

/**
 * The driver's socket takes datagrams again.
 */
enum rsvp_status rsvp_node_handle_socket_writable(struct rsvp_node *node, uint64_t now);

/**
 * Gives the next message to send; RSVP_STATUS_EMPTY: none may leave now. A message that is not sent is lost.
 *
 * `transmit->payload` belongs to the node, and is valid until the next call with it.
 */
enum rsvp_status rsvp_node_poll_transmit(struct rsvp_node *node,
                                         uint64_t now,
                                         struct rsvp_transmit *transmit);

/**
 * Gives the next request; RSVP_STATUS_EMPTY: there is none. A request that is not carried out is lost.
 *
 * `request->installation` and all that it points to belong to the node, and are valid until the next call with it.
 */
enum rsvp_status rsvp_node_poll_request(struct rsvp_node *node,
                                        struct rsvp_request *request);

/**
 * Tells when to call rsvp_node_handle_timeout(); RSVP_STATUS_EMPTY: the node waits for nothing.
 *
 * `ready` names the outputs that the caller can take now: RSVP_READY_TRANSMIT, RSVP_READY_EVENTS and
 * RSVP_READY_REQUESTS, or-ed. The deadline equals the latest `now` only if one of them may leave now, or work is left
 * over. It may be earlier than needed, never later.
 */
enum rsvp_status rsvp_node_poll_timeout(struct rsvp_node *node,
                                        uint32_t ready,
                                        struct rsvp_timeout *timeout);

/**
 * Writes 1 if everything that the command "Shutdown" began is done and polled, and acknowledged where that was wanted;
 * else 0.
 */
enum rsvp_status rsvp_node_is_stopped(struct rsvp_node *node,
                                      uint8_t *stopped);

/**
 * Hands any input to the node, as JSON (see "Inputs" in docs/c-api.md): for replaying what was recorded. The typed
 * functions do the same, faster.
 */
enum rsvp_status rsvp_node_handle_json(struct rsvp_node *node,
                                       uint64_t now,
                                       const char *input);

/**
 * Carries out a local command, given as JSON (see "Commands" in docs/c-api.md).
 *
 * `reply` takes the answer as JSON: on RSVP_STATUS_OK the reply, on RSVP_STATUS_REFUSED the error, which
 * rsvp_last_error() tells in words. It may be NULL. The text belongs to the node, and is valid until the next call with it.
 */
enum rsvp_status rsvp_node_command_json(struct rsvp_node *node,
                                        uint64_t now,
                                        const char *command,
                                        const char **reply);

/**
 * Gives the next event, oldest first, as JSON (see "Events" in docs/c-api.md); RSVP_STATUS_EMPTY: there is none. The
 * text belongs to the node, and is valid until the next call with it.
 */
enum rsvp_status rsvp_node_poll_event_json(struct rsvp_node *node,
                                           const char **event);

/**
 * Gives a view of the node's state as JSON. `name` is "sessions", "senders", "reservations", "refusals", "requests",
 * "installed", "interfaces", "neighbors" (lists), "counters" or "config" (objects). The text belongs to the node, and is
 * valid until the next call with it.
 */
enum rsvp_status rsvp_node_view_json(struct rsvp_node *node,
                                     const char *name,
                                     const char **view);

/**
 * Takes an RSVP message apart, given from the common header on, to one line of JSON: what `rsvp-cli decode --json`
 * prints, without what only a packet tells (docs/decode.md). A damaged message is no error; the JSON says what is wrong with it.
 *
 * `json` takes a text that is the caller's: free it with rsvp_string_free(). NULL if the call fails.
 */
enum rsvp_status rsvp_decode_json(const uint8_t *message,
                                  size_t length,
                                  char **json);

/**
 * Frees a text that rsvp_decode_json() gave. NULL is ignored.
 */
void rsvp_string_free(char *text);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RSVP_H */
