"""The function's one call with boto3, as AWS recommends it: the client is created once, outside the handler."""

import boto3

ec2 = boto3.client("ec2")


def handler(event, _context):
    response = ec2.deprovision_ipam_byoasn(IpamId=event["IpamId"], Asn=event["Asn"])
    return {"Byoasn": response["Byoasn"]}
