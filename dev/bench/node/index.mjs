// The function's one call with the AWS SDK, as AWS recommends it: the client is created once, outside the handler.

import { DeprovisionIpamByoasnCommand, EC2Client } from "@aws-sdk/client-ec2";

const ec2 = new EC2Client();

export const handler = async ({ IpamId, Asn }) => {
  const { Byoasn } = await ec2.send(new DeprovisionIpamByoasnCommand({ IpamId, Asn }));
  return { Byoasn };
};
