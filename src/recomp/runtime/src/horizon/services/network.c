/* Networks: there is none, and each service says so in its own way. */
#include "services.h"

#define NETWORK_DOWN 100u /* errno ENETDOWN */
#define BAD_DESCRIPTOR 9u /* errno EBADF */
#define HOST_NOT_FOUND 1u
#define ADDRESS_UNKNOWN 8u /* EAI_NONAME */
#define SSL_NO_NETWORK HZ_RESULT(123, 103)

static hz_result no_connection(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_NIFM_NO_CONNECTION;
}

static hz_result no(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static const hz_command general_commands[] = {
    {4, "CreateRequest", no_connection},
    {5, "GetCurrentNetworkProfile", no_connection},
    {12, "GetCurrentIpAddress", no_connection},
    {15, "GetCurrentIpConfigInfo", no_connection},
    {17, "IsWirelessCommunicationEnabled", no},
    {18, "GetInternetConnectionStatus", no_connection},
    {20, "IsEthernetCommunicationEnabled", no},
    {21, "IsAnyInternetRequestAccepted", no},
    {22, "IsAnyForegroundRequestAccepted", no},
};
static HZ_INTERFACE(general, "nifm.IGeneralService", general_commands, NULL);

static hz_result create_general(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&general, NULL, 0));
  return HZ_OK;
}

static const hz_command nifm_commands[] = {
    {4, "CreateGeneralServiceOld", create_general},
    {5, "CreateGeneralService", create_general},
};
HZ_INTERFACE(hz_nifm, "nifm", nifm_commands, NULL);

static hz_result failed(hz_request *r, uint32_t error) {
  hz_put32(r, UINT32_MAX);
  hz_put32(r, error);
  return HZ_OK;
}

static hz_result register_client(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result no_socket(hz_instance *self, hz_request *r) {
  (void)self;
  return failed(r, NETWORK_DOWN);
}

static hz_result no_descriptor(hz_instance *self, hz_request *r) {
  (void)self;
  return failed(r, BAD_DESCRIPTOR);
}

static const hz_command bsd_commands[] = {
    {0, "RegisterClient", register_client}, {1, "StartMonitoring", hz_success}, {2, "Socket", no_socket},
    {3, "SocketExempt", no_socket},         {4, "Open", no_socket},             {5, "Select", no_descriptor},
    {6, "Poll", no_descriptor},             {8, "Recv", no_descriptor},         {9, "RecvFrom", no_descriptor},
    {10, "Send", no_descriptor},            {11, "SendTo", no_descriptor},      {12, "Accept", no_descriptor},
    {13, "Bind", no_descriptor},            {14, "Connect", no_descriptor},     {15, "GetPeerName", no_descriptor},
    {16, "GetSockName", no_descriptor},     {17, "GetSockOpt", no_descriptor},  {18, "Listen", no_descriptor},
    {19, "Ioctl", no_descriptor},           {20, "Fcntl", no_descriptor},       {21, "SetSockOpt", no_descriptor},
    {22, "Shutdown", no_descriptor},        {24, "Write", no_descriptor},       {25, "Read", no_descriptor},
    {26, "Close", no_descriptor},
};
HZ_INTERFACE(hz_bsd, "bsd", bsd_commands, NULL);

static hz_result no_host(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, HOST_NOT_FOUND);
  hz_put32(r, 0);
  hz_put32(r, 0);
  return HZ_OK;
}

static hz_result no_address(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, ADDRESS_UNKNOWN);
  hz_put32(r, 0);
  hz_put32(r, 0);
  return HZ_OK;
}

static const hz_command resolver_commands[] = {
    {2, "GetHostByNameRequest", no_host},    {3, "GetHostByAddrRequest", no_host},
    {6, "GetAddrInfoRequest", no_address},   {7, "GetNameInfoRequest", no_address},
    {8, "RequestCancelHandle", hz_zero32},   {9, "CancelSocketCall", hz_success},
};
HZ_INTERFACE(hz_sfdnsres, "sfdnsres", resolver_commands, NULL);

static hz_result no_ssl(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return SSL_NO_NETWORK;
}

static const hz_command ssl_commands[] = {
    {0, "CreateContext", no_ssl},
    {1, "GetContextCount", hz_zero32},
    {5, "SetInterfaceVersion", hz_success},
};
HZ_INTERFACE(hz_ssl, "ssl", ssl_commands, NULL);
