/*
 * Two hosts in one process, a socket between them, and poll(2): a sender announces a flow (Path), a receiver reserves for it
 * (Resv), and hears that the reservation holds (ResvConf).
 *
 * In the root of the repository:
 *
 *     cargo build -p rsvp-capi
 *     cc -std=c11 -Wall -Wextra -I rsvp-capi/include -o two_nodes rsvp-capi/examples/c/two_nodes.c \
 *         target/debug/librsvp.a -lpthread -ldl -lm
 *     ./two_nodes
 *
 * To link with the shared library: -L target/debug -lrsvp in place of librsvp.a and what follows it.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rsvp.h"

#define LINK 1 /* The number of the one interface that each host has. */

/* What RSVP leaves to the router: a socket, and here a name for printing. */
struct host {
    const char *name;
    struct rsvp_address address;
    int socket;
    struct rsvp_node *node;
    int confirmed;
};

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, *rsvp_last_error() ? rsvp_last_error() : strerror(errno));
    exit(EXIT_FAILURE);
}

static void check(enum rsvp_status status, const char *what)
{
    if (status < 0)
        die(what);
}

static uint64_t now(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        die("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static struct rsvp_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct rsvp_address address = { .family = RSVP_IPV4, .octets = { a, b, c, d } };

    return address;
}

static int same(const struct rsvp_address *a, const struct rsvp_address *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static void start(struct host *host)
{
    /* 10 Mbyte/s may be reserved; all else is as the default has it. */
    static const char config[] =
        "{\"router\": false, \"default_interface\":"
        " {\"bandwidth\": {\"total\": 10000000, \"per_flow\": 5000000, \"link\": 12500000}}}";
    struct rsvp_interface interface = {
        .id = LINK,
        .name = "link0",
        .addresses = &host->address,
        .address_count = 1,
        .mtu = 1500,
        .up = 1,
    };
    uint8_t seed[RSVP_SEED_LENGTH];

    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        die("getrandom");
    check(rsvp_node_new(config, seed, now(), &host->node), "make a node");
    check(rsvp_node_handle_interface(host->node, now(), &interface), "announce the interface");
}

/* Carries out a command that names the session it is for: `format` has one "%" PRIu64. */
static void command(struct host *host, const char *format, uint64_t session)
{
    char text[1024];

    snprintf(text, sizeof text, format, session);
    check(rsvp_node_command_json(host->node, now(), text, NULL), host->name);
}

static uint64_t open_session(struct host *host)
{
    const char *reply;
    uint64_t session;

    check(rsvp_node_command_json(
              host->node, now(),
              "{\"OpenSession\": {\"ip\": {\"destination\": \"192.0.2.2\", \"protocol\": 17, \"port\": 5004}}}",
              &reply),
          host->name);
    if (sscanf(reply, "{\"Session\":%" SCNu64 "}", &session) != 1)
        die("the reply is no session");
    return session;
}

/* Both hosts are on the link, so each route is an interface and no gateway, or the host itself. */
static void answer_route(struct host *host, const struct rsvp_route_key *key)
{
    struct rsvp_next_hop hop = { .interface = LINK };
    struct rsvp_route route = { 0 };

    if (same(&key->destination, &host->address)) {
        route.local = 1;
    } else {
        route.outgoing = &hop;
        route.outgoing_count = 1;
    }
    check(rsvp_node_handle_route(host->node, now(), key, &route), "answer a route");
}

/* Here a router would program its scheduler. */
static void install(struct host *host, const struct rsvp_installation *flow)
{
    uint64_t id = flow->id;

    printf("%s: install %" PRIu64 ": %.0f bytes/s, bucket %.0f bytes, %zu sender(s), port %u\n", host->name, id,
           flow->flowspec.tspec.rate, flow->flowspec.tspec.bucket, flow->filter_count, flow->session.port);
    check(rsvp_node_handle_installed(host->node, now(), id, NULL), "answer an installation");
}

static void carry_out(struct host *host, const struct rsvp_request *request)
{
    switch (request->kind) {
    case RSVP_REQUEST_KIND_WATCH_ROUTE:
        answer_route(host, &request->route);
        break;
    case RSVP_REQUEST_KIND_INSTALL:
        install(host, request->installation);
        break;
    case RSVP_REQUEST_KIND_REMOVE:
        printf("%s: remove %" PRIu64 "\n", host->name, request->installation_id);
        break;
    case RSVP_REQUEST_KIND_UNWATCH_ROUTE:
    case RSVP_REQUEST_KIND_JOIN:
    case RSVP_REQUEST_KIND_LEAVE:
        break;
    }
}

/* A host that has IP would send with transmit->source, destination, ttl and router_alert from a raw socket. */
static void send_message(struct host *host, const struct rsvp_transmit *message)
{
    char *json;

    check(rsvp_decode_json(message->payload, message->length, &json), "decode");
    printf("%s: send %.72s...\n", host->name, json);
    rsvp_string_free(json);
    if (send(host->socket, message->payload, message->length, 0) != (ssize_t)message->length)
        die("send");
}

static void poll_outputs(struct host *host)
{
    struct rsvp_transmit message;
    struct rsvp_request request;
    const char *event;
    enum rsvp_status status;

    while ((status = rsvp_node_poll_request(host->node, &request)) == RSVP_STATUS_OK)
        carry_out(host, &request);
    check(status, "poll a request");
    while ((status = rsvp_node_poll_transmit(host->node, now(), &message)) == RSVP_STATUS_OK)
        send_message(host, &message);
    check(status, "poll a message");
    while ((status = rsvp_node_poll_event_json(host->node, &event)) == RSVP_STATUS_OK) {
        if (strstr(event, "\"confirmed\"")) {
            printf("%s: reservation confirmed: %s\n", host->name, event);
            host->confirmed = 1;
        }
    }
    check(status, "poll an event");
}

static void receive(struct host *host, const struct host *peer)
{
    uint8_t buffer[65536];
    ssize_t length = recv(host->socket, buffer, sizeof buffer, MSG_DONTWAIT);
    struct rsvp_datagram datagram = {
        .interface = LINK,
        .source = peer->address,
        .destination = host->address,
        .ttl = RSVP_TTL_UNKNOWN,
        .payload = buffer,
    };

    if (length < 0)
        die("recv");
    datagram.length = (size_t)length;
    check(rsvp_node_handle_datagram(host->node, now(), &datagram), "take a message");
}

/* Milliseconds until a host has to be called, for poll(2), rounded up; -1: it waits for nothing. */
static int timeout(struct host *host)
{
    struct rsvp_timeout next;
    enum rsvp_status status = rsvp_node_poll_timeout(host->node, RSVP_READY_ALL, &next);
    uint64_t time = now();

    check(status, "poll the timeout");
    if (status == RSVP_STATUS_EMPTY)
        return -1;
    return next.deadline <= time ? 0 : (int)((next.deadline - time + 999) / 1000);
}

static int sooner(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* One turn: poll all outputs, wait for a message or a deadline, and hand it in. */
static void turn(struct host hosts[2])
{
    struct pollfd files[2];
    int i, ready;

    for (i = 0; i < 2; i++) {
        poll_outputs(&hosts[i]);
        files[i].fd = hosts[i].socket;
        files[i].events = POLLIN;
    }
    ready = poll(files, 2, sooner(1000, sooner(timeout(&hosts[0]), timeout(&hosts[1]))));
    if (ready < 0)
        die("poll");
    for (i = 0; i < 2; i++) {
        if (files[i].revents & POLLIN)
            receive(&hosts[i], &hosts[1 - i]);
        check(rsvp_node_handle_timeout(hosts[i].node, now()), "let time pass");
    }
}

int main(void)
{
    struct host hosts[2] = { { .name = "sender" }, { .name = "receiver" } };
    struct host *sender = &hosts[0], *receiver = &hosts[1];
    uint64_t give_up = now() + 10 * 1000000;
    uint64_t sending, receiving;
    int i, sockets[2];

    if (rsvp_abi_version() != RSVP_ABI_VERSION)
        die("the library is of another version than the header");
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) != 0)
        die("socketpair");
    for (i = 0; i < 2; i++) {
        hosts[i].address = ipv4(192, 0, 2, (uint8_t)(i + 1));
        hosts[i].socket = sockets[i];
        start(&hosts[i]);
    }

    sending = open_session(sender);
    command(sender,
            "{\"AddSender\": [%" PRIu64 ", {\"template\": {\"ip\": {\"source\": \"192.0.2.1\", \"port\": 4000}},"
            " \"tspec\": {\"token-bucket\": {\"rate\": 125000, \"bucket\": 10000, \"peak\": 250000, \"min_unit\": 64,"
            " \"max_packet\": 1500}}, \"adspec\": \"default\", \"policy\": [], \"ttl\": 63}]}",
            sending);
    /* The sender's Path has not arrived yet; the reservation waits for it. */
    receiving = open_session(receiver);
    command(receiver,
            "{\"Reserve\": [%" PRIu64 ", {\"receiver\": \"192.0.2.2\", \"style\": \"FF\", \"flows\": [{\"flowspec\":"
            " {\"controlled-load\": {\"rate\": 125000, \"bucket\": 10000, \"peak\": 250000, \"min_unit\": 64,"
            " \"max_packet\": 1500}}, \"filters\": [{\"ip\": {\"source\": \"192.0.2.1\", \"port\": 4000}}]}],"
            " \"policy\": [], \"confirm\": true}]}",
            receiving);

    while (!receiver->confirmed && now() < give_up)
        turn(hosts);

    /* Leave in order: the neighbour hears it, and the scheduler is cleared. */
    command(receiver, "{\"Release\": %" PRIu64 "}", receiving);
    command(sender, "{\"Release\": %" PRIu64 "}", sending);
    poll_outputs(receiver);
    poll_outputs(sender);
    for (i = 0; i < 2; i++) {
        rsvp_node_free(hosts[i].node);
        close(hosts[i].socket);
    }
    if (!receiver->confirmed)
        fprintf(stderr, "the reservation was not confirmed\n");
    return receiver->confirmed ? EXIT_SUCCESS : EXIT_FAILURE;
}
