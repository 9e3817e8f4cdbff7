//! RFC 2961 sections 4 to 4.4: MESSAGE_ID, MESSAGE_ID_ACK and MESSAGE_ID_NACK objects, and Ack messages.
