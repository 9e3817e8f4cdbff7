/* Every function with NULL and with values that mean nothing: each must say so, and leave the node as it was. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsvp.h"

#define WANT(wanted, call) want(wanted, call, #call, __LINE__)
#define TELLS(words) tells(words, __LINE__)
#define IS(condition)                                                                  \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);            \
            exit(EXIT_FAILURE);                                                        \
        }                                                                              \
    } while (0)

static const uint8_t seed[RSVP_SEED_LENGTH] = { 7 };
static struct rsvp_node *node;

static void want(enum rsvp_status wanted, enum rsvp_status status, const char *call, int line)
{
    if (status == wanted && (status >= 0 || *rsvp_last_error()))
        return;
    fprintf(stderr, "line %d: %s gives %d and not %d: %s\n", line, call, status, wanted, rsvp_last_error());
    exit(EXIT_FAILURE);
}

static void tells(const char *words, int line)
{
    if (strstr(rsvp_last_error(), words))
        return;
    fprintf(stderr, "line %d: \"%s\" does not tell \"%s\"\n", line, rsvp_last_error(), words);
    exit(EXIT_FAILURE);
}

static struct rsvp_address address(uint8_t family)
{
    struct rsvp_address address = { .family = family, .octets = { 192, 0, 2, 1 } };

    return address;
}

static void making(void)
{
    struct rsvp_node *none = (struct rsvp_node *)&node;

    IS(rsvp_abi_version() == RSVP_ABI_VERSION);
    IS(strchr(rsvp_version(), '.'));
    IS(*rsvp_last_error() == '\0');

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_new(NULL, seed, 0, NULL));
    TELLS("node is NULL");
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_new(NULL, NULL, 0, &none));
    TELLS("seed is NULL");
    IS(none == NULL);
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_new("{\"routr\": true}", seed, 0, &none));
    TELLS("routr");
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_new("", seed, 0, &none));
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_new("{\"\xff\": 1}", seed, 0, &none));
    TELLS("UTF-8");
    IS(none == NULL);
    WANT(RSVP_STATUS_OK, rsvp_node_new("{\"router\": false}", seed, 0, &node));
    rsvp_node_free(NULL);
    rsvp_string_free(NULL);
}

static void without_a_node(void)
{
    struct rsvp_datagram datagram = { 0 };
    struct rsvp_interface interface = { 0 };
    struct rsvp_route_key key = { 0 };
    struct rsvp_route route = { 0 };
    struct rsvp_transmit transmit;
    struct rsvp_request request;
    struct rsvp_timeout timeout;
    const char *json;
    uint8_t stopped;

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_timeout(NULL, 1));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(NULL, 1, &datagram));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(NULL, 1, &interface));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface_removed(NULL, 1, 1));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(NULL, 1, &key, &route));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_installed(NULL, 1, 1, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_preempted(NULL, 1, 1, 0));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_socket_blocked(NULL, 1));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_socket_writable(NULL, 1));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_json(NULL, 1, "\"Timeout\""));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_command_json(NULL, 1, "\"Shutdown\"", &json));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_transmit(NULL, 1, &transmit));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_request(NULL, &request));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_event_json(NULL, &json));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_timeout(NULL, RSVP_READY_ALL, &timeout));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_is_stopped(NULL, &stopped));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_view_json(NULL, "config", &json));
    TELLS("node is NULL");
}

static void without_a_place(void)
{
    const char *json;

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, NULL));
    TELLS("datagram is NULL");
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(node, 1, NULL, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_json(node, 1, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_command_json(node, 1, NULL, &json));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_transmit(node, 1, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_request(node, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_event_json(node, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_timeout(node, RSVP_READY_ALL, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_is_stopped(node, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_view_json(node, NULL, &json));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_view_json(node, "config", NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_decode_json(seed, sizeof seed, NULL));
}

static void datagrams(void)
{
    struct rsvp_datagram good = {
        .interface = 1,
        .source = address(RSVP_IPV4),
        .destination = address(RSVP_IPV6),
        .ttl = 255,
        .payload = seed,
        .length = sizeof seed,
    };
    struct rsvp_datagram bad = good;

    bad.interface = RSVP_NO_INTERFACE;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad = good;
    bad.source.family = 77;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    TELLS("source has the family 77");
    bad = good;
    bad.destination.family = RSVP_NO_ADDRESS;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad = good;
    bad.ttl = 256;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad.ttl = INT32_MIN;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad = good;
    bad.encapsulation.kind = 2;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad = good;
    bad.payload = NULL;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));
    bad = good;
    bad.length = SIZE_MAX;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_datagram(node, 1, &bad));

    /* What a neighbour sends is no fault of the caller's, even if it is nothing. */
    WANT(RSVP_STATUS_OK, rsvp_node_handle_datagram(node, 1, &good));
    good.payload = NULL;
    good.length = 0;
    good.ttl = RSVP_TTL_UNKNOWN;
    good.encapsulation.kind = RSVP_UDP;
    WANT(RSVP_STATUS_OK, rsvp_node_handle_datagram(node, 1, &good));
}

static void interfaces(void)
{
    struct rsvp_address addresses[2] = { address(RSVP_IPV4), address(9) };
    struct rsvp_interface interface = { .id = 1, .name = "eth0", .addresses = addresses, .address_count = 2, .up = 1 };

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.addresses = NULL;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.address_count = SIZE_MAX / 2;
    interface.addresses = addresses;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.address_count = 1;
    interface.up = 2;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.up = 1;
    interface.name = NULL;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.name = "\xc3";
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_handle_interface(node, 1, &interface));
    interface.name = "eth0";
    interface.id = 0;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface(node, 1, &interface));
    interface.id = 1;
    WANT(RSVP_STATUS_OK, rsvp_node_handle_interface(node, 1, &interface));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_interface_removed(node, 1, 0));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_interface_removed(node, 1, 4711));
}

static void answers(void)
{
    struct rsvp_route_key key = { .destination = address(RSVP_IPV4) };
    struct rsvp_next_hop hop = { 0 };
    struct rsvp_route route = { .outgoing = &hop, .outgoing_count = 1 };

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(node, 1, &key, NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(node, 1, &key, &route));
    hop.interface = 1;
    hop.gateway.family = 5;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(node, 1, &key, &route));
    hop.gateway.family = RSVP_NO_ADDRESS;
    route.local = 3;
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_route(node, 1, &key, &route));
    route.local = 0;
    /* Answers to what nobody asked. */
    WANT(RSVP_STATUS_OK, rsvp_node_handle_route(node, 1, &key, &route));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_installed(node, 1, 4711, NULL));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_installed(node, 1, 4711, "no such thing"));
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_handle_installed(node, 1, 4711, "\xff"));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_preempted(node, 1, 4711, RSVP_PREEMPTED_RESOURCE_LOST));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_handle_preempted(node, 1, 4711, 2));
}

static void texts(void)
{
    const char *json = "untouched";
    char *decoded;

    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_handle_json(node, 1, "\"Timeou\""));
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_handle_json(node, 1, "{"));
    WANT(RSVP_STATUS_INVALID_ARGUMENT,
         rsvp_node_handle_json(node, 1, "{\"Interface\": {\"id\": 0, \"name\": \"\", \"addresses\": [], \"mtu\": 0,"
                                        " \"up\": true, \"point_to_point\": false}}"));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_json(node, 1, "\"Timeout\""));
    WANT(RSVP_STATUS_INVALID_JSON, rsvp_node_command_json(node, 1, "{\"Release\": -1}", &json));
    IS(strcmp(json, "untouched") == 0);
    WANT(RSVP_STATUS_REFUSED, rsvp_node_command_json(node, 1, "{\"Release\": 4711}", &json));
    TELLS("no application is registered as 4711");
    IS(strcmp(json, "{\"UnknownApi\":4711}") == 0);
    WANT(RSVP_STATUS_REFUSED, rsvp_node_command_json(node, 1, "{\"Release\": 4711}", NULL));
    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_view_json(node, "tunnels", &json));
    TELLS("tunnels");

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_decode_json(NULL, 1, &decoded));
    IS(decoded == NULL);
    WANT(RSVP_STATUS_OK, rsvp_decode_json(NULL, 0, &decoded));
    rsvp_string_free(decoded);
    WANT(RSVP_STATUS_OK, rsvp_decode_json(seed, sizeof seed, &decoded));
    IS(strstr(decoded, "\"error\":\""));
    rsvp_string_free(decoded);
}

static void views(void)
{
    static const char *const lists[] = { "sessions",  "senders",   "reservations", "refusals",
                                         "requests", "installed", "interfaces",   "neighbors" };
    const char *json;
    size_t i;

    for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        WANT(RSVP_STATUS_OK, rsvp_node_view_json(node, lists[i], &json));
        IS(json[0] == '[');
        IS((strcmp(lists[i], "interfaces") == 0) == (strstr(json, "\"name\":\"eth0\"") != NULL));
    }
    WANT(RSVP_STATUS_OK, rsvp_node_view_json(node, "counters", &json));
    IS(strstr(json, "\"dropped\":{"));
    WANT(RSVP_STATUS_OK, rsvp_node_view_json(node, "config", &json));
    IS(strstr(json, "\"router\":false"));
}

static void polls(void)
{
    struct rsvp_transmit transmit;
    struct rsvp_request request;
    struct rsvp_timeout timeout;
    const char *event;
    uint8_t stopped = 7;

    WANT(RSVP_STATUS_INVALID_ARGUMENT, rsvp_node_poll_timeout(node, 8, &timeout));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_socket_blocked(node, 1));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_socket_writable(node, 1));
    /* Time that runs backwards. */
    WANT(RSVP_STATUS_OK, rsvp_node_handle_timeout(node, UINT64_MAX));
    WANT(RSVP_STATUS_OK, rsvp_node_handle_timeout(node, 0));
    while (rsvp_node_poll_event_json(node, &event) == RSVP_STATUS_OK)
        IS(event[0] == '{');
    WANT(RSVP_STATUS_EMPTY, rsvp_node_poll_transmit(node, 0, &transmit));
    WANT(RSVP_STATUS_EMPTY, rsvp_node_poll_request(node, &request));
    WANT(RSVP_STATUS_EMPTY, rsvp_node_poll_timeout(node, RSVP_READY_ALL, &timeout));
    WANT(RSVP_STATUS_OK, rsvp_node_is_stopped(node, &stopped));
    IS(stopped == 0);
    WANT(RSVP_STATUS_OK, rsvp_node_command_json(node, 1, "\"Shutdown\"", NULL));
    WANT(RSVP_STATUS_OK, rsvp_node_is_stopped(node, &stopped));
    IS(stopped == 1);
}

int main(void)
{
    making();
    without_a_node();
    without_a_place();
    datagrams();
    interfaces();
    answers();
    texts();
    views();
    polls();
    rsvp_node_free(node);
    puts("all of it was refused");
    return 0;
}
